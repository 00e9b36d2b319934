-- What Wireshark does not know of WebRTC:
-- wireshark -X lua_script:webrtc.lua -o tls.keylog_file:dtls.keys capture.pcapng

-- 1. It finds SCTP in DTLS by the port alone, and WebRTC has no fixed one.
DissectorTable.get("dtls.port"):add("1024-65535", Dissector.get("sctp"))

-- 2. It knows a DTLS connection by its addresses and ports, but ICE may move it to others, and may use another way
-- up than down. So each end is given, for DTLS, the address and the port that it had first. It is known by the user
-- names in ICE's checks: the receiver's, a colon, the sender's (RFC 8445, section 7.2.2).
local dtls = Dissector.get("dtls")
local username = Field.new("stun.att.username")
local interface = Field.new("frame.interface_id")
local end_of_name, end_of_place = {}, {}

local function place(address, port)
    return tostring(address) .. " " .. port
end

local function learn(name, address, port)
    local here = place(address, port)
    local named = tostring(interface() or 0) .. " " .. name -- each side of the relay has its own places for both
    -- A place keeps its end: an ICE restart gives it another name.
    local known = end_of_place[here] or end_of_name[named] or { address = address, port = port }
    end_of_place[here], end_of_name[named] = known, known
end

local checks = Proto("webrtc_ends", "Ends of WebRTC connections")
function checks.dissector(_, pinfo, _)
    local name = username()
    local receiver, sender = tostring(name or ""):match("^([^:]+):(.+)$")
    if receiver then
        learn(receiver, pinfo.dst, pinfo.dst_port)
        learn(sender, pinfo.src, pinfo.src_port)
    end
end
register_postdissector(checks)

local moved = Proto("webrtc_dtls", "DTLS of WebRTC, wherever ICE has moved it")
local function dissect(tvb, pinfo, tree)
    local kind = tvb:len() > 13 and tvb(0, 1):uint() or 0
    if kind < 20 or kind > 63 then return false end -- RFC 7983: not DTLS
    local src, dst, src_port, dst_port = pinfo.src, pinfo.dst, pinfo.src_port, pinfo.dst_port
    local from, to = end_of_place[place(src, src_port)], end_of_place[place(dst, dst_port)]
    if from and to then
        pinfo.src, pinfo.dst, pinfo.src_port, pinfo.dst_port = from.address, to.address, from.port, to.port
    end
    dtls:call(tvb, pinfo, tree)
    pinfo.src, pinfo.dst, pinfo.src_port, pinfo.dst_port = src, dst, src_port, dst_port
    return true
end
moved:register_heuristic("udp", function(tvb, pinfo, tree)
    local is_dtls = dissect(tvb, pinfo, tree)
    -- Else it would be asked no more, where nobody has seen a check of ICE yet.
    if is_dtls then pinfo.conversation = moved end
    return is_dtls
end)
function moved.dissector(tvb, pinfo, tree)
    if not dissect(tvb, pinfo, tree) then DissectorTable.try_heuristics("udp", tvb, pinfo, tree) end
end
