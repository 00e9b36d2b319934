// The application around the published client: its microphone, and its loudspeaker.

import { connections } from "./watch.js";

const POLL_MS = 100;
// Of full scale; the tone has a quarter, and comfort noise a thousandth.
const AUDIBLE = 0.02;

// What the transport asks of a media manager; the packaged one loads code from its maker's servers.
// The tone would be taken for noise, and suppressed.
export class Microphone {
  supportsScreenShare = false;
  isMicEnabled = true;
  isCamEnabled = false;
  isSharingScreen = false;
  #track = null;

  setClientOptions(options) {
    this.isMicEnabled = options.enableMic ?? true;
  }
  async initialize() {
    if (this.#track || !this.isMicEnabled) return;
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    this.#track = stream.getAudioTracks()[0];
  }
  async connect() {
    await this.initialize();
  }
  async disconnect() {
    this.#track?.stop();
    this.#track = null;
  }
  tracks() {
    return { local: this.#track ? { audio: this.#track } : {} };
  }
  enableMic(enable) {
    this.isMicEnabled = enable;
    if (this.#track) this.#track.enabled = enable;
  }
}

// Plays the tracks that the client announces, and counts the packets of audible sound in them.
export class Loudspeaker {
  #announced = new Map();
  #seen = new Map();

  play(track) {
    const element = new Audio();
    element.srcObject = new MediaStream([track]);
    element.play();
    this.#announced.set(track, element);
  }
  drop(track) {
    this.#announced.get(track)?.pause();
    this.#announced.delete(track);
  }
  // Calls heard(packets) whenever there was something to hear, and sent(packets) for the newest connection.
  listen(heard, sent) {
    setInterval(() => this.#poll(heard, sent), POLL_MS);
  }
  async #poll(heard, sent) {
    for (const pc of connections) {
      if (pc.signalingState === "closed") continue;
      for (const receiver of pc.getReceivers()) {
        if (this.#announced.has(receiver.track)) heard(await this.#audible(receiver));
      }
      if (pc === connections.at(-1)) sent(await this.#sent(pc));
    }
  }
  async #audible(receiver) {
    let packets = 0;
    for (const report of (await receiver.getStats()).values()) {
      if (report.type !== "inbound-rtp" || report.kind !== "audio") continue;
      const { id, packetsReceived, totalAudioEnergy, totalSamplesDuration } = report;
      const before = this.#seen.get(id) ?? { packetsReceived, totalAudioEnergy, totalSamplesDuration };
      this.#seen.set(id, report);
      const lasted_s = totalSamplesDuration - before.totalSamplesDuration;
      const level = Math.sqrt((totalAudioEnergy - before.totalAudioEnergy) / lasted_s);
      if (lasted_s > 0 && level > AUDIBLE) packets += packetsReceived - before.packetsReceived;
    }
    return packets;
  }
  async #sent(pc) {
    let packets = 0;
    for (const report of (await pc.getStats()).values()) {
      if (report.type !== "outbound-rtp" || report.kind !== "audio") continue;
      const key = `${pc.number} ${report.id}`;
      packets += report.packetsSent - (this.#seen.get(key) ?? 0);
      this.#seen.set(key, report.packetsSent);
    }
    return packets;
  }
}
