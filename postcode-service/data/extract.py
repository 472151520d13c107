"""Packs the shifts of OSTN15_OSGM15_DataFile.txt.xz: `extract.py INPUT OUTPUT`.

The output, unzipped: 701 x 1251 nodes of the 1 km grid, south to north and in each row west to east; first all
shifts east, then all shifts north, in millimetres, each as the difference to what the neighbours west, south and
south-west predict (west + south - southwest; 0 outside of the grid), zigzag, u16 little-endian; the first of each as u32.
"""

import gzip
import hashlib
import lzma
import struct
import sys

COLUMNS, ROWS = 701, 1251
SHA256 = "cb71d24adc30675c2c1b0f8a786680b5dde389d965b8a7feb7991d61fee393c4"


def main(source, target):
    packed = open(source, "rb").read()
    if hashlib.sha256(packed).hexdigest() != SHA256:
        sys.exit(f"{source} is not the file that this script was written for")
    east, north = [], []
    for number, line in enumerate(lzma.decompress(packed).decode("ascii").splitlines()[1:]):
        cells = line.split(",")
        assert (int(cells[1]), int(cells[2])) == (number % COLUMNS * 1000, number // COLUMNS * 1000), line
        east.append(round(float(cells[3]) * 1000))
        north.append(round(float(cells[4]) * 1000))
    assert len(east) == COLUMNS * ROWS
    out = bytearray()
    for shifts in (east, north):
        at = lambda x, y: shifts[y * COLUMNS + x] if x >= 0 and y >= 0 else 0
        for y in range(ROWS):
            for x in range(COLUMNS):
                rest = at(x, y) - at(x - 1, y) - at(x, y - 1) + at(x - 1, y - 1)
                # The corner itself is larger than the differences: 90,750 mm.
                out += struct.pack("<I" if x == y == 0 else "<H", rest * 2 if rest >= 0 else -rest * 2 - 1)
    with open(target, "wb") as file:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=9, mtime=0, filename="") as zipped:
            zipped.write(out)


main(*sys.argv[1:])
