// Runs a Function Compute handler for moonport: asks the runtime API for one request after the other.
//
// Nothing but Node.js itself. Log records are framed on standard output so that each stays one; the host writes time and
// request id before them.
'use strict';

const fs = require('fs');
const http = require('http');
const path = require('path');
const util = require('util');

const MAX_RECORD = 128 * 1024;
const MAX_FRAME = 4096;
const MAGIC = Buffer.from([0xed, 0xdb, 0xac, 0x9b]);
const HANDLED = 'HandledInvocationError';
const UNHANDLED = 'UnhandledInvocationError';
const MAJOR = Number(process.versions.node.split('.')[0]);
// Node.js 18 brought new contracts for results, error types and log lines.
const MODERN = MAJOR >= 18;
const KEPT_VARIABLES = new Set([
  'FC_FUNC_CODE_PATH', 'FC_FUNCTION_MEMORY_SIZE', 'FC_FUNCTION_VERSION', 'FC_RUNTIME_VERSION', 'FC_ACCOUNT_ID',
  'FC_FUNCTION_HANDLER', 'FC_FUNCTION_NAME', 'FC_SERVICE_NAME', 'FC_VER_ID', 'FC_QUALIFIER', 'FC_REGION',
  'FC_INSTANCE_ID', 'FC_SNAPSHOT_FLAG',
]);

const code = process.env.FC_FUNC_CODE_PATH || process.cwd();
const eventAs = process.env._FC_EVENT_AS || 'auto';
const [place, secret] = process.env.FC_RUNTIME_API.split('/');
const [host, port] = place.split(':');
const base = `/${secret}/2020-11-11/runtime`;

// The API

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, route, body, headers) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path: base + route, agent, headers }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }));
      answer.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

// Ends the process when the host goes away.
function hold() {
  const gone = () => process.exit(1);
  const request = http.request({ host, port, path: `${base}/hold`, agent: false }, gone);
  request.on('error', gone);
  request.on('socket', (socket) => socket.unref());
  request.end();
}

// Records

const pause = new Int32Array(new SharedArrayBuffer(4));

function writeAll(bytes) {
  let start = 0;
  while (start < bytes.length) {
    try {
      start += fs.writeSync(1, bytes, start);
    } catch (error) {
      if (error.code !== 'EAGAIN') return;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

function record(level, text) {
  const label = Buffer.from(level).subarray(0, 255);
  const message = Buffer.from(text.length > MAX_RECORD ? text.slice(0, MAX_RECORD + 1) : text);
  const room = MAX_FRAME - 8 - 6 - label.length;
  let start = 0;
  do {
    const part = message.subarray(start, start + room);
    start += room;
    const header = Buffer.alloc(14);
    MAGIC.copy(header);
    header.writeUInt32BE(6 + label.length + part.length, 4);
    header[8] = (start < message.length ? 1 : 0) | (MODERN ? 2 : 0);
    header.writeUInt32BE(process.pid, 9);
    header[13] = label.length;
    writeAll(Buffer.concat([header, label, part]));
  } while (start < message.length);
}

const LEVELS = ['debug', 'info', 'warn', 'error'];
const least = LEVELS.indexOf(String(process.env.ALIYUN_FC_LOG_LEVEL || 'debug').toLowerCase());

function logger(level) {
  const rank = LEVELS.indexOf(level === 'verbose' ? 'debug' : level);
  // A message is one physical line: its line breaks become carriage returns.
  return (...words) => {
    if (!MODERN || rank >= least) record(level, util.format(...words).replace(/\r?\n/g, '\r'));
  };
}

const log = {
  log: logger(MODERN ? 'info' : 'verbose'),
  trace: logger(MODERN ? 'debug' : 'verbose'),
  debug: logger('debug'),
  info: logger('info'),
  warn: logger('warn'),
  error: logger('error'),
};
Object.assign(console, log);

// Errors

function stackOf(error) {
  const lines = String(error.stack || '').split('\n').slice(1).map((line) => line.trim());
  return lines.filter((line) => line && !line.includes(__filename));
}

function errorObject(error, kind) {
  const handled = kind === HANDLED;
  if (!(error instanceof Error)) {
    const plain = handled ? 'FunctionHandledError' : 'FunctionUnhandledError';
    return { errorMessage: error === undefined ? 'undefined' : error, errorType: plain };
  }
  const type = handled || MODERN ? error.name : `FunctionUnhandledError: ${error.name}`;
  return { errorMessage: error.message, errorType: type, stackTrace: stackOf(error) };
}

class LoadError extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

// Handlers

const loaded = new Map();

async function load(handler) {
  if (!loaded.has(handler)) loaded.set(handler, await loadNew(handler));
  return loaded.get(handler);
}

async function loadNew(handler) {
  const dot = handler.lastIndexOf('.');
  if (dot <= 0 || dot === handler.length - 1) throw new LoadError('InvalidHandleName', `Invalid handler '${handler}'`);
  const [moduleName, name] = [handler.slice(0, dot), handler.slice(dot + 1)];
  if (!MODERN) writeAll(Buffer.from(`load code for handler:${handler}\n`));
  const exported = await loadModule(path.join(code, moduleName));
  const found = exported[name] || (exported.default && exported.default[name]);
  if (typeof found !== 'function') {
    throw new LoadError('HandlerNotFound', `Handler '${name}' is missing on module '${moduleName}'`);
  }
  return found;
}

function loadModule(stem) {
  const endings = MODERN ? ['.js', '.mjs', '.cjs', '/index.js'] : ['.js', '/index.js'];
  const file = endings.map((ending) => stem + ending).find((candidate) => fs.existsSync(candidate));
  if (!file) throw new LoadError('ImportModuleError', `Module '${stem}' is missing.`);
  if (file.endsWith('.mjs')) return importModule(file);
  try {
    return require(file);
  } catch (error) {
    if (error.code === 'ERR_REQUIRE_ESM') return importModule(file);
    throw error;
  }
}

function importModule(file) {
  return import(require('url').pathToFileURL(file).href);
}

// Requests

function makeContext(headers) {
  const text = (name) => headers[`x-fc-${name}`] || '';
  const number = (name) => Number(text(name)) || 0;
  return {
    requestId: text('request-id'),
    credentials: {
      accessKeyId: text('access-key-id'),
      accessKeySecret: text('access-key-secret'),
      securityToken: text('security-token'),
    },
    function: {
      name: text('function-name'),
      handler: text('function-handler'),
      memory: number('function-memory'),
      timeout: number('function-timeout'),
    },
    service: {
      name: text('service-name'),
      logProject: text('service-logproject'),
      logStore: text('service-logstore'),
      qualifier: text('qualifier'),
      versionId: text('version-id'),
    },
    region: text('region'),
    accountId: text('account-id'),
    retryCount: number('retry-count'),
    logger: log,
    tracing: { openTracingSpanContext: '', openTracingSpanBaggages: {}, jaegerEndpoint: '' },
    waitsForEmptyEventLoopBeforeCallback: false,
  };
}

function formEvent(body) {
  if (eventAs !== 'object') return body;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function toResult(value) {
  if (value === null || value === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(value)) return value;
  return Buffer.from(typeof value === 'object' ? JSON.stringify(value) : String(value));
}

// Fails the request in progress from outside the handler's own flow.
let failCurrent = null;

// Calls `run(callback)` and settles with its first outcome: { result } or { error, kind }.
function settle(run, takesCallback) {
  return new Promise((resolve) => {
    let done = false;
    const finish = (outcome) => {
      if (!done) resolve(outcome);
      done = true;
    };
    const callback = (error, result) => {
      if (done) {
        record('warn', 'callback was called more than once; only the first call counts');
      } else if (error !== null && error !== undefined) {
        finish({ error, kind: HANDLED });
      } else {
        finish({ result });
      }
    };
    failCurrent = (error) => finish({ error, kind: UNHANDLED });
    let returned;
    try {
      returned = run(callback);
    } catch (error) {
      finish({ error, kind: UNHANDLED });
      return;
    }
    const isPromise = returned !== null && typeof returned === 'object' && typeof returned.then === 'function';
    if (takesCallback && !isPromise) return;
    const awaited = (value) => {
      // A handler that takes a callback and gives nothing back will call it.
      if (MODERN && !(takesCallback && value === undefined)) finish({ result: value });
    };
    Promise.resolve(returned).then(awaited, (error) => finish({ error, kind: UNHANDLED }));
  });
}

// Keeps the process while a handler has nothing pending: it may never call back, and is then stopped by its timeout.
const anchor = setInterval(() => {}, 1 << 30);

function emptyEventLoop() {
  return new Promise((resolve) => {
    anchor.unref();
    process.once('beforeExit', () => {
      anchor.ref();
      resolve();
    });
  });
}

async function run(headers, body) {
  const context = makeContext(headers);
  const hooks = {
    1: 'x-fc-function-initializer',
    2: 'x-fc-instance-lifecycle-pre-stop-handler',
    3: 'x-fc-instance-lifecycle-pre-freeze-handler',
  };
  const hook = hooks[headers['x-fc-function-type']];
  try {
    if (hook) {
      const handler = await load(headers[hook] || '');
      const outcome = await settle((callback) => handler(context, callback), handler.length > 1);
      return 'error' in outcome ? outcome : { bytes: Buffer.alloc(0) };
    }
    const handler = await load(context.function.handler);
    const event = formEvent(body);
    const outcome = await settle((callback) => handler(event, context, callback), handler.length > 2);
    if ('error' in outcome) return outcome;
    const bytes = toResult(outcome.result);
    if (context.waitsForEmptyEventLoopBeforeCallback) await emptyEventLoop();
    return { bytes };
  } catch (error) {
    return { error, kind: UNHANDLED };
  }
}

function describe({ error, kind }) {
  try {
    return JSON.stringify(errorObject(error, kind));
  } catch {
    return JSON.stringify({ errorMessage: String(error), errorType: 'FunctionUnhandledError' });
  }
}

async function serve() {
  const next = await call('GET', '/invocation/next');
  if (next.status !== 200) process.exit(0);
  const outcome = await run(next.headers, next.body);
  failCurrent = null;
  const route = `/invocation/${next.headers['x-fc-request-id']}`;
  if (outcome.bytes) {
    await call('POST', `${route}/response`, outcome.bytes);
    return;
  }
  const text = describe(outcome);
  record('error', text);
  const headers = { 'x-fc-error-type': outcome.kind };
  if (unsound) headers['x-moonport-leaving'] = '1';
  await call('POST', `${route}/error`, text, headers);
  if (unsound) process.exit(1);
}

// Set when something threw outside the handler's flow: it may have left anything behind, so the process goes.
let unsound = false;

function onStray(error) {
  unsound = true;
  if (failCurrent) {
    failCurrent(error);
  } else {
    record('error', describe({ error, kind: UNHANDLED }));
    process.exit(1);
  }
}

async function main() {
  for (const name of Object.keys(process.env)) {
    if (/^_?FC_/.test(name) && !KEPT_VARIABLES.has(name)) delete process.env[name];
  }
  process.on('uncaughtException', onStray);
  process.on('unhandledRejection', onStray);
  hold();
  for (;;) await serve();
}

main().catch(() => process.exit(1));
