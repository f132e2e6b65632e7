#!/usr/bin/env python3
"""Read streams of wtools into numpy arrays, by the rules of wstream(5), each of which is checked.

    python3 wts.py FILE...           what is in it, a line for each array

    import wts
    for header, records in wts.read(open('wiki.tok', 'rb')):
        records['tok']               tokens: the ids of a frame, uint16 or uint32 [n]
        records['x']                 batches: [n, B, T + 1]; x[..., :-1] are inputs, x[..., 1:] targets
        records['targets']           of validation: [n, B]; so many targets are text, the rest padding
    wts.tensors(open('wiki.wts', 'rb'))['wte.weight']    a model: its arrays by name

wts.Damaged is raised for what is no whole stream; what was read before it must not be used."""
import collections, json, struct, sys, zlib
import numpy as np

SYNC = b'\x89WT1\r\n\x1a\n'
TYPES = {'u8': '<u1', 'u16': '<u2', 'u32': '<u4', 'u64': '<u8', 'i32': '<i4', 'i64': '<i8',
         'f16': '<f2', 'f32': '<f4', 'f64': '<f8', 'bf16': '<u2'}
LIMITS = {'H': 8 << 20, 'i': 1 << 20, 'm': 65536, 'X': 65536, 'E': 208}  # of raw_len; others 16 MiB

class Damaged(Exception):
    pass

def check(right, fault):
    if not right:
        raise Damaged(fault)

def parse(line):
    def unique(pairs):
        check(len(dict(pairs)) == len(pairs), 'JSON with a key twice')
        return dict(pairs)
    try:
        check(line.endswith(b'\n') and line.count(b'\n') == 1, 'more or less than one line of JSON')
        value = json.loads(line.decode(), object_pairs_hook=unique)
    except (ValueError, RecursionError):
        raise Damaged('no JSON')
    check(isinstance(value, dict), 'no JSON object')
    return value

def exact(file, size):
    data = file.read(size)
    check(len(data) == size, 'truncated')
    return data

def inflate(data, limit):
    inflater = zlib.decompressobj()
    try:
        out = inflater.decompress(data, limit + 1)
    except zlib.error as error:
        raise Damaged(str(error))
    check(inflater.eof and not inflater.unused_data and len(out) <= limit, 'wrong zlib stream')
    return out

def undo_ids(data, raw_len, dtype):
    """Filter 1. The loop takes a second for two million ids."""
    width, n = dtype.itemsize, raw_len // dtype.itemsize
    shift, listed_n = (data + b'\0\0')[:2]
    first = 2 + listed_n * width
    check(shift <= 24 and listed_n <= 252 and len(data) >= first + n, 'wrong filtered ids')
    listed = np.frombuffer(data, dtype, listed_n, 2).tolist()
    codes = np.frombuffer(data, np.uint8, n, first)
    upper = codes[codes >= 4 + listed_n].astype(np.int64) - 4 - listed_n
    bits = np.unpackbits(np.frombuffer(data, np.uint8, -1, first + n), bitorder='little') \
        if len(data) > first + n else np.zeros(0, np.uint8)
    used = len(upper) * shift
    check(len(bits) == (used + 7) // 8 * 8 and not bits[used:].any(), 'wrong lower bits of ids')
    lower = bits[:used].reshape(len(upper), shift) @ (1 << np.arange(shift, dtype=np.int64))
    check(not len(upper) or (int(upper.max()) + 1) << shift <= 1 << 8 * width, 'id too large')
    coded = iter(((upper << shift) + lower).tolist())
    after, ids, last = collections.defaultdict(lambda: [0] * 4), [], 0
    for code in codes.tolist():
        near = after[last & 65535]
        last = near[code] if code < 4 else listed[code - 4] if code < 4 + listed_n else next(coded)
        del near[min(code, 3)]
        near.insert(0, last)
        ids.append(last)
    return np.array(ids, dtype).tobytes()

def undo_planes(data, record, count):
    """Filter 2: byte by byte of the items of a column, to records."""
    records, at = np.empty(count, record), 0
    for name in record.names:
        base, shape = record[name].base, record[name].shape
        item = shape[-1] if base == np.uint8 and shape and shape[-1] <= 64 else base.itemsize
        planes = np.frombuffer(data, np.uint8, count * record[name].itemsize, at)
        at += planes.size
        items = np.ascontiguousarray(planes.reshape(item, -1).T)
        records[name] = items.view(base).reshape((count, *shape))
    return records.tobytes()

def read_header(payload):
    header = parse(payload)
    check(header.get('wts') == 1, 'another version')
    check(set(header.get('must', [])) <= {'wts', 'kind', 'rec', 'tensors', 'vocab', 'eot', 'tok', 'config',
                                       'padded'},
          'needs a newer reader')
    try:
        record = np.dtype([(c['name'], TYPES[c['dtype']], tuple(c['shape'])) for c in header['rec']]
                          if 'rec' in header else np.uint8)
    except (KeyError, TypeError, ValueError):
        raise Damaged('wrong columns')
    return header, record

def read_member(file, start):
    """After the first bytes of a member: yield (header, records) for each D frame."""
    seq = pos = link = raw = at = index = 0
    while True:
        frame = start + exact(file, 48 - len(start))
        start = b''
        kind, codec, filter, flags = chr(frame[8]), *frame[9:12]
        fields = struct.unpack_from('<IQIIIIII', frame, 12)
        count, raw_len, stored_len, payload_crc = fields[2:6]
        check(frame[:8] == SYNC, 'no frame of version 1')
        check(zlib.crc32(frame[:44]) == fields[7], 'header_crc')
        check(kind in 'HDmiEX' or 'a' <= kind <= 'z', 'needs a newer reader')
        several = seq > 0 and record.names and len(record.names) > 1
        filters = (0,) if kind != 'D' or codec != 1 or seq == 0 or not record.names else \
            (0, 2) if several else (0, 1) if record[0].base in (np.uint16, np.uint32) else (0,)
        check(codec <= (kind not in 'HEXmi') and filter in filters and not flags, 'needs a newer reader')
        check(raw_len <= LIMITS.get(kind, 16 << 20), 'raw_len')
        check(stored_len <= raw_len + raw_len // 1000 + 64 and raw_len <= 1032 * stored_len + 64
              if codec else stored_len == raw_len, 'stored_len')
        check(fields[0] == seq and fields[1] == pos and fields[6] == link, 'another frame is missing or added')
        check((kind == 'H') == (seq == 0) and (not index or kind not in 'Di'), 'frames in another order')
        size = {'D': record.itemsize if seq else 0, 'i': 16}.get(kind)
        check((count >= 1 and count * size == raw_len) if size else not (kind in 'HEXm' and count), 'count')
        payload = exact(file, stored_len)
        check(zlib.crc32(payload) == payload_crc, 'payload_crc')
        link = zlib.crc32(frame[8:40], link)
        if kind == 'H':
            header, record = read_header(payload)
        elif kind == 'D':
            data = inflate(payload, raw_len) if codec else payload
            if filter == 1:
                data = undo_ids(data, raw_len, record[0].base)
            check(len(data) == raw_len, 'raw_len')
            if filter == 2:
                data = undo_planes(data, record, count)
            pos, raw = pos + count, raw + raw_len
            yield header, np.frombuffer(data, record)
        elif kind == 'i':
            index = at
        elif kind == 'X':
            raise Damaged('given up by its writer: ' + ascii(parse(payload).get('msg')))
        seq, at = seq + 1, at + 48 + stored_len
        if kind == 'E':
            end = parse(payload)
            totals = {'records': pos, 'raw': raw, 'bytes': at, 'index': index, 'frames': seq, 'ok': True}
            check(len(payload) == 208 and all(end.get(key) == totals[key] for key in totals), 'totals')
            return

def read(file):
    """All members of a file that is open in binary: yield (header, records) for each D frame."""
    start = file.read(1)
    check(start, 'empty')
    while start:
        yield from read_member(file, start)
        start = file.read(1)

def tensors(file):
    """The arrays of a stream of tensors or counts, by name; bf16 becomes float32."""
    header, parts = {}, []
    for header, records in read(file):
        parts.append(records.tobytes())
    check('tensors' in header, 'no tensors')
    blob, at, arrays = b''.join(parts), 0, {}
    for one in header['tensors']:
        at, dtype, size = (at + 63) // 64 * 64, np.dtype(TYPES[one['dtype']]), 1
        for dimension in one['shape']:
            size *= dimension
        check(at + size * dtype.itemsize <= len(blob), 'fewer records than tensors')
        array = np.frombuffer(blob, dtype, size, at).reshape(one['shape'])
        arrays[one['name']] = (array.astype('<u4') << 16).view('<f4') if one['dtype'] == 'bf16' else array
        at += size * dtype.itemsize
    check(at == len(blob), 'more records than tensors')
    return arrays

def show(path):
    with open(path, 'rb') as file:
        header = next(iter(read(file)), ({},))[0]
        file.seek(0)
        if 'tensors' in header:
            for name, array in tensors(file).items():
                print(name, array.dtype, list(array.shape), sep='\t')
            return
        counts = collections.Counter()
        for header, records in read(file):
            for name in records.dtype.names:
                counts[name, records[name].dtype, records[name].shape[1:]] += len(records)
        for (name, dtype, shape), count in counts.items():
            print(name, dtype, [count, *shape], sep='\t')

if __name__ == '__main__':
    for path in sys.argv[1:]:
        try:
            show(path)
        except (OSError, Damaged) as error:
            sys.exit(print(f'wts.py: {ascii(path)}: {error}', file=sys.stderr) or 3)
