// Bytes: a Buffer with the parts of Node.js's that handlers use, and the two text coders of the web.
// Bytes cross into the host as text with one character per byte.
(function (native) {
  'use strict';

  const CHUNK = 8192;

  function binary(bytes) {
    let text = '';
    for (let at = 0; at < bytes.length; at += CHUNK) {
      const part = Uint8Array.prototype.subarray.call(bytes, at, at + CHUNK);
      text += String.fromCharCode.apply(null, part);
    }
    return text;
  }

  function unbinary(text) {
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  }

  function viewOf(source) {
    if (source instanceof Uint8Array) return source;
    if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    return new Uint8Array(source);
  }

  function utf8(bytes, fatal) {
    const text = binary(bytes);
    return /[^\x00-\x7f]/.test(text) ? native.decode(text, fatal) : text;
  }

  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

  function toBase64(bytes) {
    let text = '';
    for (let at = 0; at < bytes.length; at += 3) {
      const bits = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
      const left = bytes.length - at;
      text += ALPHABET[bits >> 18] + ALPHABET[(bits >> 12) & 63];
      text += left > 1 ? ALPHABET[(bits >> 6) & 63] : '=';
      text += left > 2 ? ALPHABET[bits & 63] : '=';
    }
    return text;
  }

  // Like Node.js: the URL alphabet is taken too, and anything that is no digit is passed over.
  function fromBase64(text) {
    const bytes = [];
    let bits = 0;
    let held = 0;
    for (const character of text.replaceAll('-', '+').replaceAll('_', '/')) {
      if (character === '=') break;
      const digit = ALPHABET.indexOf(character);
      if (digit < 0) continue;
      bits = ((bits << 6) | digit) & 0xffffff;
      held += 6;
      if (held >= 8) {
        held -= 8;
        bytes.push((bits >> held) & 255);
      }
    }
    return Uint8Array.from(bytes);
  }

  function toHex(bytes) {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  function fromHex(text) {
    const pairs = /^([0-9a-f]{2})*/i.exec(text)[0];
    return Uint8Array.from(pairs.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  }

  const CODERS = {
    utf8: { read: (bytes) => utf8(bytes, false), write: (text) => native.encode(text.toWellFormed()) },
    latin1: { read: binary, write: unbinary },
    base64: { read: toBase64, write: fromBase64 },
    hex: { read: toHex, write: fromHex },
  };
  const ALIASES = { 'utf-8': 'utf8', binary: 'latin1', ascii: 'latin1' };

  function coder(encoding = 'utf8') {
    const name = String(encoding).toLowerCase();
    const found = CODERS[ALIASES[name] ?? name];
    if (!found) throw new TypeError(`Unknown encoding: ${encoding}`);
    return found;
  }

  class Buffer extends Uint8Array {
    static from(source, encoding) {
      if (typeof source === 'string') return adopt(coder(encoding).write(source));
      if (source instanceof ArrayBuffer) return adopt(new Uint8Array(source));
      return adopt(Uint8Array.from(source));
    }

    static alloc(size, fill = 0) {
      const bytes = adopt(new Uint8Array(size));
      return fill === 0 ? bytes : bytes.fill(fill);
    }

    static concat(list) {
      const whole = Buffer.alloc(list.reduce((length, part) => length + part.length, 0));
      let at = 0;
      for (const part of list) {
        whole.set(part, at);
        at += part.length;
      }
      return whole;
    }

    static isBuffer(value) {
      return value instanceof Buffer;
    }

    static byteLength(value, encoding) {
      return typeof value === 'string' ? coder(encoding).write(value).length : value.byteLength;
    }

    toString(encoding, start = 0, end = this.length) {
      return coder(encoding).read(Uint8Array.prototype.subarray.call(this, start, end));
    }

    slice(start, end) {
      return this.subarray(start, end);
    }

    equals(other) {
      return this.length === other.length && this.every((byte, at) => byte === other[at]);
    }

    toJSON() {
      return { type: 'Buffer', data: Array.from(this) };
    }
  }

  function adopt(bytes) {
    return Object.setPrototypeOf(bytes, Buffer.prototype);
  }

  class TextEncoder {
    get encoding() {
      return 'utf-8';
    }

    encode(text = '') {
      return native.encode(String(text).toWellFormed());
    }
  }

  class TextDecoder {
    #fatal;
    #keepMark;

    constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
      if (!['utf-8', 'utf8', 'unicode-1-1-utf-8'].includes(String(label).trim().toLowerCase())) {
        throw new RangeError(`The "${label}" encoding is not supported`);
      }
      this.#fatal = Boolean(fatal);
      this.#keepMark = Boolean(ignoreBOM);
    }

    get encoding() {
      return 'utf-8';
    }

    decode(source = new Uint8Array(0), { stream = false } = {}) {
      if (stream) throw new TypeError('the runtime `js` decodes whole texts only: leave out `stream`');
      const text = utf8(viewOf(source), this.#fatal);
      return !this.#keepMark && text.startsWith('\ufeff') ? text.slice(1) : text;
    }
  }

  return { Buffer, TextEncoder, TextDecoder, adopt, binary };
})
