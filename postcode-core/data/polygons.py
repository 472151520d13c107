"""Finds the polygon that each of many points lies in."""

import json
from collections import defaultdict

CELL = 500  # metres


def features(lines):
    """(code, rings) of a GeoJSON file that has one feature a line. The rings of all parts of a feature are
    in one list: a point is inside if it is inside an odd number of them, so holes need no care."""
    for line in lines:
        line = line.strip().rstrip(",")
        if not line.startswith('{ "type": "Feature",'):
            continue
        feature = json.loads(line)
        geometry = feature["geometry"]
        parts = geometry["coordinates"]
        if geometry["type"] == "Polygon":
            parts = [parts]
        elif geometry["type"] != "MultiPolygon":
            raise ValueError(f"a {geometry['type']} is not an area")
        yield feature["properties"]["code"], [ring for part in parts for ring in part]


def inside(x, y, rings):
    odd = False
    for ring in rings:
        x1, y1 = ring[-1]
        for x2, y2 in ring:
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                odd = not odd
            x1, y1 = x2, y2
    return odd


def locate(points, areas):
    """point -> code of the only area that it lies in. Points in no area, or in more than one, are left out."""
    cells = defaultdict(list)
    for point in points:
        cells[point[0] // CELL, point[1] // CELL].append(point)
    found = defaultdict(list)
    for code, rings in areas:
        xs = [x for ring in rings for x, _ in ring]
        ys = [y for ring in rings for _, y in ring]
        west, east, south, north = min(xs), max(xs), min(ys), max(ys)
        for column in range(int(west) // CELL, int(east) // CELL + 1):
            for row in range(int(south) // CELL, int(north) // CELL + 1):
                for point in cells.get((column, row), ()):
                    x, y = point
                    if west <= x <= east and south <= y <= north and inside(x, y, rings):
                        found[point].append(code)
    return {point: codes[0] for point, codes in found.items() if len(codes) == 1}
