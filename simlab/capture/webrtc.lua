-- Wireshark finds SCTP in DTLS by the port alone, and WebRTC has no fixed one:
-- wireshark -X lua_script:webrtc.lua -o tls.keylog_file:dtls.keys capture.pcapng
DissectorTable.get("dtls.port"):add("1024-65535", Dissector.get("sctp"))
