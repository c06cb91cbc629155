// The console: values as Node.js shows them, one record of the function's log per call.
(function (native, settings, Buffer) {
  'use strict';

  const LINE_WIDTH = 72;
  const MAX_DEPTH = 2;
  const MAX_ENTRIES = 100;
  const MAX_BYTES_SHOWN = 50;
  // The host cuts records by bytes; nothing past this many characters can be part of one.
  const MAX_CHARACTERS = 128 * 1024 + 1;
  const LEVELS = ['debug', 'info', 'warn', 'error'];

  function quote(text) {
    const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes('`') ? '`' : "'";
    const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
    return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark;
  }

  function keyText(key) {
    if (typeof key === 'symbol') return `[${String(key)}]`;
    return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key);
  }

  function primitive(value) {
    if (typeof value === 'string') return quote(value);
    if (typeof value === 'bigint') return `${value}n`;
    return Object.is(value, -0) ? '-0' : String(value);
  }

  function className(value) {
    for (let at = value; at !== null; at = Object.getPrototypeOf(at)) {
      const own = Object.getOwnPropertyDescriptor(at, 'constructor')?.value;
      if (typeof own === 'function' && own.name !== '') return own.name;
    }
    return null;
  }

  function functionText(value) {
    const source = Function.prototype.toString.call(value);
    if (/^class\b/.test(source)) return `[class ${value.name || '(anonymous)'}]`;
    const kind = Object.prototype.toString.call(value).slice(8, -1);
    return value.name ? `[${kind}: ${value.name}]` : `[${kind} (anonymous)]`;
  }

  // The frames of the user's code: what called it is the host's business.
  function framesOf(error) {
    const frames = String(error.stack ?? '').trimEnd().split('\n');
    const first = frames.findIndex((frame) => frame.includes('(moonport:'));
    const own = first < 0 ? frames : frames.slice(0, first);
    if (first > 0 && own.at(-1).endsWith('(native)')) own.pop();
    return own.filter((frame) => frame !== '');
  }

  function errorText(error) {
    const title = error.message === '' ? `${error.name}` : `${error.name}: ${error.message}`;
    return [title, ...framesOf(error)].join('\n');
  }

  // Shows values of one console call; `path` holds the objects around the present one, to tell circles.
  class Inspector {
    #path = [];

    show(value) {
      const type = typeof value;
      if (value === null || (type !== 'object' && type !== 'function')) return primitive(value);
      if (this.#path.includes(value)) return '[Circular]';
      if (this.#path.length > MAX_DEPTH && !(value instanceof Error)) return this.#summary(value);
      this.#path.push(value);
      const text = this.#object(value);
      this.#path.pop();
      return text;
    }

    #summary(value) {
      if (Array.isArray(value)) return '[Array]';
      if (typeof value === 'function') return functionText(value);
      return `[${className(value) ?? 'Object: null prototype'}]`;
    }

    #object(value) {
      if (Array.isArray(value)) return this.#list('', '[', ']', value.length, value, this.#properties(value, true));
      if (value instanceof Buffer) return this.#bytes(value);
      if (ArrayBuffer.isView(value) && 'length' in value) {
        return this.#list(`${className(value)}(${value.length}) `, '[', ']', value.length, value, []);
      }
      if (value instanceof Map) {
        const entries = Array.from(value, ([key, item]) => `${this.show(key)} => ${this.show(item)}`);
        return this.#join(`Map(${value.size}) `, '{', '}', entries);
      }
      if (value instanceof Set) {
        return this.#join(`Set(${value.size}) `, '{', '}', Array.from(value, (item) => this.show(item)));
      }
      const properties = this.#properties(value, false);
      const plain = this.#plain(value);
      if (plain !== null) return properties.length === 0 ? plain : this.#join(`${plain} `, '{', '}', properties);
      const name = className(value);
      const prefix = name === 'Object' ? '' : name === null ? '[Object: null prototype] ' : `${name} `;
      return this.#join(prefix, '{', '}', properties);
    }

    // Objects that are shown by more than their properties.
    #plain(value) {
      if (typeof value === 'function') return functionText(value);
      if (value instanceof Error) return errorText(value);
      if (value instanceof RegExp) return String(value);
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
      if (value instanceof Number || value instanceof String || value instanceof Boolean) {
        return `[${className(value)}: ${primitive(value.valueOf())}]`;
      }
      return null;
    }

    #list(prefix, open, close, length, items, more) {
      const shown = [];
      for (let at = 0; at < Math.min(length, MAX_ENTRIES); at += 1) {
        shown.push(at in items ? this.show(items[at]) : '<empty item>');
      }
      if (length > MAX_ENTRIES) shown.push(`... ${length - MAX_ENTRIES} more items`);
      return this.#join(prefix, open, close, shown.concat(more));
    }

    #bytes(value) {
      const shown = Array.from(value.subarray(0, MAX_BYTES_SHOWN), (byte) => byte.toString(16).padStart(2, '0'));
      const rest = value.length - shown.length;
      return `<Buffer${shown.map((byte) => ` ${byte}`).join('')}${rest > 0 ? ` ... ${rest} more bytes` : ''}>`;
    }

    #properties(value, isList) {
      const shown = [];
      for (const key of Reflect.ownKeys(value)) {
        const property = Object.getOwnPropertyDescriptor(value, key);
        if (!property?.enumerable || (isList && /^\d+$/.test(String(key)))) continue;
        if (shown.length === MAX_ENTRIES) return shown.concat('...');
        shown.push(`${keyText(key)}: ${this.#property(property)}`);
      }
      return shown;
    }

    #property(property) {
      if (property.get && property.set) return '[Getter/Setter]';
      if (property.get) return '[Getter]';
      return property.set ? '[Setter]' : this.show(property.value);
    }

    #join(prefix, open, close, entries) {
      if (entries.length === 0) return `${prefix}${open}${close}`;
      const line = `${prefix}${open} ${entries.join(', ')} ${close}`;
      if (line.length <= LINE_WIDTH && !line.includes('\n')) return line;
      const indented = entries.map((entry) => `  ${entry.replaceAll('\n', '\n  ')}`);
      return `${prefix}${open}\n${indented.join(',\n')}\n${close}`;
    }
  }

  function inspect(value) {
    return new Inspector().show(value);
  }

  function directive(letter, value) {
    switch (letter) {
      case 's':
        return typeof value === 'object' && value !== null ? inspect(value) : primitiveText(value);
      case 'd':
        return typeof value === 'object' ? 'NaN' : primitive(typeof value === 'bigint' ? value : Number(value));
      case 'i':
        return typeof value === 'object' ? 'NaN' : primitive(typeof value === 'bigint' ? value : parseInt(value, 10));
      case 'f':
        return primitive(parseFloat(value));
      case 'j':
        return JSON.stringify(value);
      case 'c':
        return '';
      default:
        return inspect(value);
    }
  }

  function primitiveText(value) {
    return typeof value === 'string' ? value : typeof value === 'function' ? functionText(value) : primitive(value);
  }

  function format(values) {
    let rest = values;
    let text = '';
    if (typeof values[0] === 'string') {
      rest = values.slice(1);
      text = values[0].replace(/%([sdifjoOc%])/g, (whole, letter) => {
        if (letter === '%') return values.length > 1 ? '%' : whole;
        return rest.length > 0 ? directive(letter, rest.shift()) : whole;
      });
      rest = rest.map((value) => ` ${typeof value === 'string' ? value : inspect(value)}`);
      return text + rest.join('');
    }
    return values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ');
  }

  // ALIYUN_FC_LOG_LEVEL hides what is below it (ND-10).
  const lowest = Math.max(0, LEVELS.indexOf(String(settings.env.ALIYUN_FC_LOG_LEVEL).toLowerCase()));

  // One call is one physical line: line breaks inside travel as carriage returns (ND-9).
  function write(level, text) {
    if (LEVELS.indexOf(level) < lowest) return;
    native.log(level, text.slice(0, MAX_CHARACTERS).toWellFormed().replace(/\r?\n/g, '\r'));
  }

  let indent = '';
  const counts = new Map();
  const clocks = new Map();

  function log(level, values) {
    const text = format(values);
    write(level, indent === '' ? text : indent + text.replaceAll('\n', `\n${indent}`));
  }

  function elapsed(label, more) {
    if (!clocks.has(label)) return;
    log('info', [`${label}: ${(native.now() - clocks.get(label)).toFixed(3)}ms`, ...more]);
  }

  const logger = {
    debug: (...values) => log('debug', values),
    info: (...values) => log('info', values),
    log: (...values) => log('info', values),
    warn: (...values) => log('warn', values),
    error: (...values) => log('error', values),
  };

  const console = {
    ...logger,
    dir: (value) => log('info', [inspect(value)]),
    table: (value) => log('info', [value]),
    trace: (...values) => {
      const stack = new Error().stack.split('\n').slice(1).join('\n');
      log('debug', [['Trace: ' + format(values), ...framesOf({ stack })].join('\n')]);
    },
    assert: (claim, ...values) => {
      if (!claim) log('error', [values.length > 0 ? `Assertion failed: ${format(values)}` : 'Assertion failed']);
    },
    count: (label = 'default') => {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      log('info', [`${label}: ${counts.get(label)}`]);
    },
    countReset: (label = 'default') => void counts.delete(label),
    time: (label = 'default') => void clocks.set(label, native.now()),
    timeLog: (label = 'default', ...more) => elapsed(label, more),
    timeEnd: (label = 'default') => {
      elapsed(label, []);
      clocks.delete(label);
    },
    group: (...values) => {
      if (values.length > 0) log('info', values);
      indent += '  ';
    },
    groupEnd: () => void (indent = indent.slice(2)),
  };
  console.groupCollapsed = console.group;

  return { console, logger, inspect, framesOf, write };
})
