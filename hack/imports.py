#!/usr/bin/env python3
"""Compares every `import` line with what the target's manifest entry allows.

SwiftPM lets a module import whatever happens to be built before it; the target graph is Berth's architecture, so an undeclared
import is an error here. usage: imports.py DESCRIBE.json   (output of `swift package describe --type json`)
"""
import json
import pathlib
import re
import sys

SYSTEM = {"FoundationEssentials", "Synchronization", "Testing", "Swift", "Dispatch", "Foundation"}
FORBIDDEN = {"Foundation", "Dispatch", "Glibc"}
# Tests carry programs of other languages as text.
MULTILINE_STRING = re.compile(r'"""(.*?)"""', re.S)
IMPORT = re.compile(r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:package|public|internal|private|fileprivate)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|typealias)\s+)?(\w+)", re.M)


def problems(target):
    allowed = {d.replace("-", "_") for d in target.get("target_dependencies", [])} | set(target.get("product_dependencies", []))
    for source in target["sources"]:
        path = pathlib.Path(target["path"]) / source
        if path.suffix != ".swift" or path.name.endswith(".pb.swift"):
            continue
        for name in IMPORT.findall(MULTILINE_STRING.sub("", path.read_text())):
            if name in FORBIDDEN:
                yield f"{path}: import of {name} is not allowed"
            elif name not in allowed and name not in SYSTEM:
                yield f"{path}: import of {name}, which {target['name']} does not declare in Package.swift"


def main():
    targets = json.load(open(sys.argv[1]))["targets"]
    found = [p for t in targets for p in problems(t)]
    print("\n".join(found) or f"{len(targets)} targets, no undeclared import")
    sys.exit(bool(found))


main()
