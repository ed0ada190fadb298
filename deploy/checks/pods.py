#!/usr/bin/env python3
"""pods.py [--others] FILE: what is in a rendered file for the release's namespace, with
a pod of each Deployment beside it; or what says another namespace itself."""
import sys

import yaml

others = "--others" in sys.argv
documents = [it for it in yaml.safe_load_all(open(sys.argv[-1])) if it]
chosen = []
for document in documents:
    if ("namespace" in document["metadata"]) == others:
        chosen.append(document)
        if document["kind"] == "Deployment":
            template = document["spec"]["template"]
            metadata = {**template["metadata"], "name": f"check-{document['metadata']['name']}"}
            chosen.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
yaml.safe_dump_all(chosen, sys.stdout, sort_keys=False)
