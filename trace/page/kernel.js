"use strict";

// What the kernel holds, worked out from the objects of -trace=json: descriptors from
// the calls, sockets from what the kernel said when it was asked, and the bytes in a
// buffer from what was written or captured.

// newKernel returns a kernel that holds nothing. A table has the programs' descriptors, each with
// the cookie of the socket to which it leads: 0 as long as that is not known.
function newKernel() {
  return { tables: new Map(), sockets: new Map(), streams: new Map() };
}

// follow makes a kernel hold what it does after a step.
function follow(kernel, step) {
  for (const event of step.events) {
    kernel.now = Date.parse(event.time);
    if (event.call) noteCall(kernel, event, step.side);
    else if (event.segment) noteSegment(kernel, event.segment);
    else if (event.socket) noteSocket(kernel, { ...event.socket, asked: kernel.now });
    else if (event.killed || event.exit) kernel.tables.delete(event.thread ?? 0);
  }
}

// noteCall follows a call that opens or closes a descriptor, or moves bytes.
function noteCall(kernel, event, side) {
  const thread = event.thread ?? 0;
  if (!kernel.tables.has(thread)) {
    const known = [...kernel.sockets.values()].filter((s) => s.fd !== null && (s.thread ?? 0) === thread);
    kernel.tables.set(thread, { side, name: side, open: new Map(known.map((s) => [s.fd, s.cookie])), used: known.length > 0 });
  }
  const table = kernel.tables.get(thread);
  table.name = event.program > 1 ? side + " " + event.program : side; // a child has its number when it makes a call
  const open = table.open;
  if (event.result === null || event.errno !== null) return;
  const socket = kernel.sockets.get(open.get(event.args.fd));
  switch (event.does ?? event.call) {
    case "socket":
    case "accept":
    case "dup":
    case "dup2":
    case "dup3":
      table.used = true;
      if (!open.get(event.result)) open.set(event.result, event.call.startsWith("dup") ? open.get(event.args.fd) : 0);
      break;
    case "fork":
    case "vfork":
    case "clone":
    case "clone3":
      kernel.tables.set(event.result, { name: "child", ...kernel.tables.get(event.result), side, used: true,
        open: new Map([...open, ...(kernel.tables.get(event.result)?.open ?? [])]) });
      break;
    case "close":
      open.delete(event.args.fd);
      if (socket?.gone) kernel.sockets.delete(socket.cookie);
      break;
    case "write":
      if (socket) {
        const stream = streamOf(kernel, socket.local, socket.remote);
        stream.written.push({ at: stream.sent, length: event.result, bytes: event.args.buf });
        stream.sent += event.result;
      }
      break;
    case "read":
      if (socket) streamOf(kernel, socket.remote, socket.local).read += event.result;
  }
}

// noteSegment keeps the bytes of a segment that comes next in its direction.
function noteSegment(kernel, segment) {
  let stream = streamOf(kernel, segment.from, segment.to);
  if (segment.flags.split("+").includes("SYN") && stream.begins !== segment.seq) {
    if (stream.begins !== undefined) stream = newStream(kernel, segment.from, segment.to); // the same ports again
    stream.begins = segment.seq;
    stream.next = (segment.seq + 1) % 2 ** 32;
  }
  if (!segment.data || (stream.next !== undefined && stream.next !== segment.seq)) return;
  stream.captured.push({ at: stream.passed, length: segment.len, bytes: segment.data });
  stream.passed += segment.len;
  stream.next = (segment.seq + segment.len) % 2 ** 32;
}

// noteSocket keeps what a socket holds. One that is gone stays as long as a descriptor
// leads to it.
function noteSocket(kernel, socket) {
  if (socket.gone && socket.fd === null) {
    kernel.sockets.delete(socket.cookie);
    return;
  }
  if (socket.inode === 0) forgetDescriptors(kernel, socket.cookie);
  if (socket.fd !== null) kernel.tables.get(socket.thread ?? 0)?.open.set(socket.fd, socket.cookie);
  if (socket.gone) socket = { ...socket, state: "CLOSED", timer: 0 };
  kernel.sockets.set(socket.cookie, socket);
  let stream = streamOf(kernel, socket.local, socket.remote);
  if (stream.cookie !== undefined && stream.cookie !== socket.cookie && !socket.remote.endsWith(":0")) {
    stream = newStream(kernel, socket.local, socket.remote); // the same ports again
  }
  stream.cookie = socket.cookie;
}

// forgetDescriptors closes those of a socket to which none leads any more: that of a program
// that has ended, which nobody saw.
function forgetDescriptors(kernel, cookie) {
  for (const table of kernel.tables.values()) {
    for (const [fd, other] of table.open) if (other === cookie) table.open.delete(fd);
  }
}

// streamOf returns the bytes of one direction: those that were written, if the calls of
// that end are traced, those that were captured, and how many the other end has read.
function streamOf(kernel, from, to) {
  return kernel.streams.get(from + " " + to) ?? newStream(kernel, from, to);
}

function newStream(kernel, from, to) {
  const stream = { written: [], sent: 0, captured: [], passed: 0, read: 0 };
  kernel.streams.set(from + " " + to, stream);
  return stream;
}

// endOf is how many bytes of a stream there are, as far as that is known.
function endOf(stream) {
  return stream.written.length > 0 ? stream.sent : stream.passed;
}

// bytesOf returns the bytes of a stream from a place on, as far as they are known.
function bytesOf(stream, from, count) {
  const pieces = stream.written.length > 0 ? stream.written : stream.captured;
  let text = "";
  for (const piece of pieces) {
    if (piece.at + piece.length <= from + text.length || text.length === count) continue;
    const start = from + text.length - piece.at;
    if (start < 0 || start >= piece.bytes.length) break;
    text += piece.bytes.slice(start, start + count - text.length);
    if (piece.bytes.length < piece.length) break;
  }
  return text;
}

// quoted returns bytes as strace writes them, at most so many of them.
function quoted(bytes, count) {
  const most = 40;
  const escapes = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\f": "\\f", '"': '\\"', "\\": "\\\\" };
  const octal = (c, next) => "\\" + c.charCodeAt(0).toString(8).padStart(next >= "0" && next <= "7" ? 3 : 1, "0");
  const text = Array.from(bytes.slice(0, most), (c, i) =>
    escapes[c] ?? (c >= " " && c <= "~" ? c : octal(c, bytes[i + 1] ?? ""))).join("");
  return '"' + text + '"' + (bytes.length > most || bytes.length < count ? "…" : "");
}

// boxesOf returns the boxes that show what the kernel holds: each has a key, a title, a
// side, and lines, each with a key, a label and a text.
function boxesOf(kernel) {
  const boxes = [];
  for (const [thread, table] of kernel.tables) {
    if (kernel.tables.size > 2 && table.used && table.open.size === 0) continue; // nobody says whether the program has ended
    const lines = [...table.open.keys()].sort((a, b) => a - b).map((fd) => ({ key: "fd" + fd, label: String(fd), text: "socket", chip: true }));
    boxes.push({ key: "table" + thread, title: "descriptors of the " + table.name, side: table.side, lines:
      [{ key: "streams", label: "0 1 2", text: "standard streams", chip: true }, ...lines] });
  }
  const sockets = [...kernel.sockets.values()];
  const rank = (s) => (s.state === "LISTEN" ? 0 : s.side === "server" ? 1 : 2);
  sockets.sort((a, b) => rank(a) - rank(b) || a.cookie - b.cookie);
  const mostBoxes = 12;
  for (const socket of sockets.slice(0, mostBoxes)) {
    const holders = holdersOf(kernel, socket);
    const box = socket.state === "LISTEN" ? listening(socket, sockets, holders) : connected(kernel, socket, holders);
    boxes.push({ ...box, key: String(socket.cookie), side: socket.side, owner: ownerOf(kernel, socket, holders) });
  }
  if (sockets.length > mostBoxes) {
    boxes.push({ key: "more", title: "and " + (sockets.length - mostBoxes) + " more sockets", side: "", lines: [] });
  }
  return boxes;
}

// holdersOf returns the programs that have a descriptor of a socket, each with that: the one
// that the kernel named, or those of which the calls tell.
function holdersOf(kernel, socket) {
  const holders = [];
  for (const table of kernel.tables.values()) {
    for (const [fd, cookie] of table.open) if (cookie === socket.cookie) holders.push({ fd, name: table.name });
  }
  return holders;
}

// ownerOf names them, if the socket may be of several programs.
function ownerOf(kernel, socket, holders) {
  const most = 3;
  const several = [...kernel.tables.values()].filter((table) => table.side === socket.side).length > 1;
  const names = [...new Set(holders.map((holder) => holder.name))];
  if (!several || names.length === 0) return socket.side;
  return names.slice(0, most).join(", ") + (names.length > most ? ", …" : "");
}

// descriptorOf is the descriptor that leads to a socket, as far as it is known.
function descriptorOf(socket, holders) {
  if (socket.fd !== null) return String(socket.fd);
  return socket.inode === 0 ? "" : holders.length > 0 ? String(holders[0].fd) : "another process’s";
}

function listening(socket, sockets, holders) {
  const port = socket.local.slice(socket.local.lastIndexOf(":"));
  const incomplete = sockets.filter((s) => s.state === "SYN_RCVD" && s.fd === null && s.local.endsWith(port)).length;
  return {
    listens: true, title: (descriptorOf(socket, holders) || "no descriptor any more") + ": LISTEN", lines: [
      { key: "address", label: "", text: socket.local },
      { key: "syn", label: "SYN queue", text: String(incomplete), slots: incomplete },
      { key: "accept", label: "accept queue", text: socket.receive_queue + " of " + socket.send_queue, slots: socket.receive_queue },
    ],
  };
}

function connected(kernel, socket, holders) {
  const holder = descriptorOf(socket, holders) || (socket.had_fd ? "no descriptor any more" : socket.side === "client" ? "" : "no descriptor yet");
  const lines = [{ key: "address", label: "", text: socket.local + (socket.remote.endsWith(":0") ? "" : " ↔ " + socket.remote) }];
  if (socket.state !== "CLOSED") {
    const incoming = streamOf(kernel, socket.remote, socket.local);
    const outgoing = streamOf(kernel, socket.local, socket.remote);
    const untraced = socket.fd === null && socket.inode !== 0 && holders.length === 0; // nobody knows what it has read
    const from = untraced ? endOf(incoming) - socket.unread : incoming.read;
    lines.push(bufferLine("receive", socket.unread, bytesOf(incoming, from, socket.unread), "unread"));
    lines.push(bufferLine("send", socket.unacknowledged,
      bytesOf(outgoing, endOf(outgoing) - socket.unacknowledged, socket.unacknowledged), socket.timer === 4 ? "not sent yet" : "not acknowledged"));
  }
  const timers = ["", "sends again in", socket.state === "FIN_WAIT_2" && socket.inode === 0 ? "forgotten in" : "next check in", "forgotten in", "asks for room in"];
  const held = socket.timer === 4 && socket.fd === null; // another program may hold its bytes back itself, by TCP_CORK
  if (socket.timer > 0 && !held) {
    const again = socket.retransmits > 0 ? ", sent again " + socket.retransmits + "×" : "";
    lines.push({ key: "timer", label: "timer", text: timers[socket.timer] + " " + seconds(Math.max(0, socket.timer_ms - (kernel.now - socket.asked))) + again });
  }
  return { title: holder + (holder ? ": " : "") + socket.state, loose: socket.fd === null && holders.length === 0, lines };
}

function bufferLine(label, count, bytes, what) {
  const text = count === 0 ? "empty" : bytes === "" ? "" : quoted(bytes, count);
  return { key: label, label, text, bytes: count > 0, number: count > 0 ? count + " " + what : "" };
}

function seconds(milliseconds) {
  if (milliseconds > 7.2e6) return Math.round(milliseconds / 3.6e6) + " h";
  return milliseconds < 1000 ? milliseconds + " ms" : Math.round(milliseconds / 1000) + " s";
}
