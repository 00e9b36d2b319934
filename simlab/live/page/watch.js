// Watches the browser's own objects from outside, so that the published client runs unchanged.
// Every report goes to report(kind, fields): an event of the timeline's source "client".

const PATH = "/api/offer";

export const connections = [];

function watchConnection(pc, report, lost) {
  const connection = connections.push(pc);
  const tell = (kind, state) => report(kind, { state, connection });
  pc.addEventListener("iceconnectionstatechange", () => {
    tell("ice_state", pc.iceConnectionState);
    // What a built-in client only models, a browser has: its ICE state is what it knows of the path.
    tell("liveness", pc.iceConnectionState);
    if (["disconnected", "failed"].includes(pc.iceConnectionState)) lost(pc.iceConnectionState);
  });
  pc.addEventListener("connectionstatechange", () => tell("connection_state", pc.connectionState));
  pc.addEventListener("signalingstatechange", () => {
    tell("signalling_state", pc.signalingState);
    // Before, it is the transport of one section alone, which is closed when all are bundled.
    if (pc.signalingState === "stable") watchDtls(pc, tell);
  });
  pc.addEventListener("icegatheringstatechange", () => tell("gathering_state", pc.iceGatheringState));
  return connection;
}

function watchDtls(pc, tell) {
  const dtls = pc.sctp?.transport;
  if (dtls && !dtls.watched) {
    dtls.watched = true;
    dtls.addEventListener("statechange", () => tell("dtls_state", dtls.state));
  }
}

// created(number) is called for each new connection, lost(state) when one finds its path bad.
export function watchConnections(report, { created, lost }) {
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      this.number = watchConnection(this, report, lost);
      created(this.number);
    }
    createDataChannel(...args) {
      const channel = super.createDataChannel(...args);
      const fields = { connection: this.number };
      channel.addEventListener("open", () => report("channel_open", fields));
      channel.addEventListener("close", () => report("channel_closed", fields));
      return channel;
    }
    close() {
      // A browser fires no event for a connection that its own page closes.
      if (this.signalingState !== "closed") {
        for (const kind of ["signalling_state", "ice_state", "connection_state"]) {
          report(kind, { state: "closed", connection: this.number });
        }
      }
      super.close();
    }
  };
}

export function watchRequests(report) {
  const native = window.fetch;
  window.fetch = async (resource, options = {}) => {
    const url = String(resource.url ?? resource);
    if (!new URL(url, location.href).pathname.endsWith(PATH)) return native(resource, options);
    const body = JSON.parse(options.body ?? (await resource.clone().text()));
    return body.sdp ? offer(body) : trickle(body);

    async function offer({ sdp, restart_pc: restart, pc_id }) {
      const connection = numberOf(sdp);
      report("offer", { connection, restart, pc_id });
      const response = await answered("offer_failed", { connection });
      if (response.ok) response.clone().json().then(
        (answer) => report("answer", { connection, status: response.status, pc_id: answer.pc_id }),
        () => report("offer_failed", { connection, error: "invalid answer" }),
      );
      return response;
    }

    async function trickle({ pc_id, candidates }) {
      const connection = connections.length;
      report("trickle", { connection, candidates: candidates.length, pc_id });
      return answered("trickle_failed", { connection });
    }

    async function answered(failed, fields) {
      try {
        const response = await native(resource, options);
        if (!response.ok) report(failed, { ...fields, status: response.status });
        return response;
      } catch (error) {
        report(failed, { ...fields, error: `${error.name}: ${error.message}` });
        throw error;
      }
    }
  };
}

function numberOf(sdp) {
  const found = connections.findIndex((pc) => pc.localDescription?.sdp === sdp);
  return found < 0 ? connections.length : found + 1;
}
