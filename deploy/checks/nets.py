#!/usr/bin/env python3
"""The NetworkPolicies keep out of the same nets as the guard in the binaries."""
import ipaddress
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
source = (ROOT / "delivery/src/guard/address.rs").read_text()


def block(name):
    return re.search(rf"const {name}\b.*?;\n", source, flags=re.S).group()


v4 = {f"{a}.{b}.{c}.0/{bits}" for a, b, c, bits in re.findall(r"v4\((\d+), (\d+), (\d+), (\d+),", block("NOT_PUBLIC_V4"))}
v6 = {
    str(ipaddress.ip_network((ipaddress.IPv6Address(int(a, 16) << 112 | int(b, 16) << 96), int(bits))))
    for a, b, bits in re.findall(r"v6\(0x(\w+), (?:0x)?(\w+), \w+, (\d+),", block("NOT_PUBLIC_V6"))
}
assert len(v4) == 18 and len(v6) == 5, "address.rs is written in another way"
found = 0
for document in yaml.safe_load_all((ROOT / "deploy/checks/golden/minimal.yaml").read_text()):
    if not document or document["kind"] != "NetworkPolicy":
        continue
    for rule in document["spec"]["egress"]:
        nets = {to["ipBlock"]["cidr"]: set(to["ipBlock"]["except"]) for to in rule.get("to", []) if "ipBlock" in to}
        if nets:
            found += 1
            if nets != {"0.0.0.0/0": v4, "2000::/3": v6}:
                sys.exit(f"{document['metadata']['name']} keeps out of {nets}, the guard out of {v4} and {v6}")
if found != 2:
    sys.exit(f"{found} of two NetworkPolicies let public addresses through")
