"""Reads 7z archives whose content is packed by LZMA or LZMA2, with nothing but the standard library.

Every checksum in the archive is compared. Other methods, encryption and split archives are refused.
"""

import lzma
import struct
import zlib

SIGNATURE = b"7z\xbc\xaf\x27\x1c"
COPY, LZMA1, LZMA2 = b"\x00", b"\x03\x01\x01", b"\x21"


class _Bytes:
    """A cursor over the bytes of a header."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        part = self.data[self.at : self.at + count]
        if len(part) != count:
            raise ValueError("7z: the header is cut short")
        self.at += count
        return part

    def byte(self):
        return self.take(1)[0]

    def number(self):
        """A number whose first byte says by its leading ones how many bytes follow."""
        first, mask, value = self.byte(), 0x80, 0
        for n in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << (8 * n)
            value |= self.byte() << (8 * n)
            mask >>= 1
        return value

    def bits(self, count):
        packed = self.take((count + 7) // 8)
        return [bool(packed[n // 8] & 0x80 >> n % 8) for n in range(count)]

    def digests(self, count):
        defined = [True] * count if self.byte() else self.bits(count)
        return [struct.unpack("<I", self.take(4))[0] if known else None for known in defined]

    def expect(self, wanted):
        found = self.byte()
        if found != wanted:
            raise ValueError(f"7z: property {wanted:#x} expected, {found:#x} found")


class _Folder:
    """One packed stream: its method, and how many bytes it unpacks to."""

    def __init__(self, header):
        if header.number() != 1:
            raise ValueError("7z: more than one method in a row")
        flags = header.byte()
        self.method = header.take(flags & 0x0F)
        if flags & 0x10:
            raise ValueError("7z: a method with several streams")
        self.properties = header.take(header.number()) if flags & 0x20 else b""
        self.size, self.digest = 0, None

    def unpack(self, packed):
        if self.method == COPY:
            return packed
        if self.method == LZMA2:
            bits = self.properties[0]
            size = 0xFFFFFFFF if bits == 40 else (2 | bits & 1) << (bits // 2 + 11)
            chain = [{"id": lzma.FILTER_LZMA2, "dict_size": size}]
        elif self.method == LZMA1:
            rest, lc = divmod(self.properties[0], 9)
            pb, lp = divmod(rest, 5)
            (size,) = struct.unpack("<I", self.properties[1:5])
            chain = [{"id": lzma.FILTER_LZMA1, "dict_size": size, "lc": lc, "lp": lp, "pb": pb}]
        else:
            raise ValueError(f"7z: unknown method {self.method.hex()}")
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain).decompress(packed, self.size)


def _streams(header):
    """The packed streams of an archive or of its header: where they begin, their sizes, their folders, and
    the sizes and checksums of the files in each folder."""
    start, sizes, folders, files = 0, [], [], None
    while (kind := header.number()) != 0:
        if kind == 6:  # packed streams
            start, count = header.number(), header.number()
            while (inner := header.number()) != 0:
                if inner == 9:
                    sizes = [header.number() for _ in range(count)]
                elif inner == 10:
                    header.digests(count)
        elif kind == 7:  # folders
            header.expect(11)
            count = header.number()
            if header.byte():
                raise ValueError("7z: an external header")
            folders = [_Folder(header) for _ in range(count)]
            header.expect(12)
            for folder in folders:
                folder.size = header.number()
            while (inner := header.number()) != 0:
                if inner == 10:
                    for folder, digest in zip(folders, header.digests(count)):
                        folder.digest = digest
        elif kind == 8:  # files in folders
            files = _substreams(header, folders)
        else:
            raise ValueError(f"7z: unknown property {kind:#x}")
    if files is None:
        files = [[(folder.size, folder.digest)] for folder in folders]
    return start, sizes, folders, files


def _substreams(header, folders):
    counts, kind = [1] * len(folders), header.number()
    if kind == 13:
        counts = [header.number() for _ in folders]
        kind = header.number()
    sizes = []
    for folder, count in zip(folders, counts):
        known = [header.number() for _ in range(count - 1)] if kind == 9 and count > 1 else []
        sizes.append(known + [folder.size - sum(known)] if count else [])
    if kind == 9:
        kind = header.number()
    unknown = sum(
        count for folder, count in zip(folders, counts) if not (count == 1 and folder.digest is not None)
    )
    digests = iter([None] * unknown)
    while kind != 0:
        if kind == 10:
            digests = iter(header.digests(unknown))
        kind = header.number()
    return [
        [(size, folder.digest if count == 1 and folder.digest is not None else next(digests)) for size in inner]
        for folder, count, inner in zip(folders, counts, sizes)
    ]


def _names(header):
    """The names of the files, and which of them have no content."""
    count = header.number()
    names, empty = [], [False] * count
    while (kind := header.number()) != 0:
        inner = _Bytes(header.take(header.number()))
        if kind == 14:
            empty = inner.bits(count)
        elif kind == 17:
            inner.expect(0)
            names = inner.data[1:].decode("utf-16-le").split("\0")[:count]
    return list(zip(names, empty, strict=True))


def _checked(data, digest, what):
    if digest is not None and zlib.crc32(data) != digest:
        raise ValueError(f"7z: the checksum of {what} is wrong")
    return data


def read(archive, wanted=None):
    """name -> content of the files of an archive; `wanted` names those to keep."""
    if archive[:6] != SIGNATURE:
        raise ValueError("not a 7z archive")
    (start_digest,) = struct.unpack("<I", archive[8:12])
    offset, length, digest = struct.unpack("<QQI", _checked(archive[12:32], start_digest, "the start"))
    body = archive[32:]
    header = _Bytes(_checked(body[offset : offset + length], digest, "the header"))
    kind = header.number()
    while kind == 23:  # a packed header
        start, sizes, (folder,), _ = _streams(header)
        plain = folder.unpack(body[start : start + sizes[0]])
        header = _Bytes(_checked(plain, folder.digest, "the packed header"))
        kind = header.number()
    if kind != 1:
        raise ValueError("7z: no header")
    header.expect(4)
    start, sizes, folders, files = _streams(header)
    header.expect(5)
    names = iter([name for name, empty in _names(header) if not empty])
    found = {}
    for size, folder, inner in zip(sizes, folders, files, strict=True):
        here = [(next(names), *file) for file in inner]
        if wanted is None or any(name in wanted for name, *_ in here):
            plain, at = folder.unpack(body[start : start + size]), 0
            for name, length, digest in here:
                if wanted is None or name in wanted:
                    found[name] = _checked(plain[at : at + length], digest, name)
                at += length
        start += size
    if wanted is not None and (missing := set(wanted) - set(found)):
        raise ValueError(f"7z: not in the archive: {', '.join(sorted(missing))}")
    return found
