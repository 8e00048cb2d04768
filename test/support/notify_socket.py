"""What systemd does with a service of Type=notify: receives its messages, and ends it when WATCHDOG=1 stays out.

Arguments: the socket's path, and the microseconds of the watchdog (0: none). Writes one JSON object per line: a message as
{"received": {...}}, and {"expired": true} when the watchdog has run out, after READY=1.
"""

import json
import os
import select
import socket
import sys
import time

path, watchdog = sys.argv[1], int(sys.argv[2]) / 1_000_000
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(path)
print(json.dumps({"listening": True}), flush=True)
deadline = None
while True:
    left = None if deadline is None else max(0.0, deadline - time.monotonic())
    readable, _, _ = select.select([receiver], [], [], left)
    if not readable:
        print(json.dumps({"expired": True}), flush=True)
        break
    data, descriptors, _, _ = socket.recv_fds(receiver, 4096, 4)
    # BARRIER=1 comes with a descriptor; closing it says that everything before has been read.
    for descriptor in descriptors:
        os.close(descriptor)
    variables = dict(line.split("=", 1) for line in data.decode().splitlines())
    if "BARRIER" in variables:
        continue
    if watchdog and "1" in (variables.get("READY"), variables.get("WATCHDOG")):
        deadline = time.monotonic() + watchdog
    print(json.dumps({"received": variables}), flush=True)
