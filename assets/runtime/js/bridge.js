// Runs handlers: each call is settled once; timers and forgotten rejections belong to the call they meet.
// Returns what the host drives: begin, step, due, rejected.
(function (native, settings, bytes, console) {
  'use strict';

  const { Buffer, TextEncoder, TextDecoder, adopt, binary } = bytes;
  const { InternalError } = globalThis;
  const { parse, stringify } = JSON;
  const modules = new Map();
  const timers = new Map();
  const unhandled = new Map();
  let lastTimer = 0;
  let current = null;

  // With no room left QuickJS throws what it could still make: the Error, one without its message, `null`, or no value.
  function isOutOfMemory(error) {
    if (error === null) return true;
    if (error instanceof InternalError) return error.message === 'out of memory' || error.message === '';
    return typeof error !== 'object' && typeof error !== 'function' && String(error) === '[uninitialized]';
  }

  function require(name) {
    const error = new Error(`Cannot find module '${name}': the runtime \`js\` has no modules, choose the runtime \`nodejs\``);
    error.code = 'MODULE_NOT_FOUND';
    throw error;
  }

  function loadError(name, message) {
    return Object.assign(new Error(message), { name });
  }

  function load({ setting, path, folder, module: name, member }) {
    if (path === undefined) throw loadError('InvalidHandleName', `Invalid handler '${setting}'`);
    if (!modules.has(path)) {
      const code = native.compile(path);
      if (code === undefined) throw loadError('ImportModuleError', `Module '${path.slice(0, -'.js'.length)}' is missing.`);
      const module = { exports: {} };
      code.call(module.exports, module.exports, require, module, path, folder);
      modules.set(path, module);
    }
    const { exports } = modules.get(path);
    const handler = exports?.[member];
    if (typeof handler !== 'function') {
      throw loadError('HandlerNotFound', `Handler '${member}' is missing on module '${name}'`);
    }
    return { handler, exports };
  }

  function contextOf({ requestId, retryCount }) {
    return {
      requestId,
      credentials: { ...settings.credentials },
      function: { ...settings.function },
      service: { name: '', logProject: '', logStore: '', qualifier: 'LATEST', versionId: 'LATEST' },
      region: settings.region,
      accountId: settings.accountId,
      retryCount,
      logger: console.logger,
      tracing: { openTracingSpanContext: '', openTracingSpanBaggages: {}, jaegerEndpoint: '' },
      waitsForEmptyEventLoopBeforeCallback: false,
    };
  }

  function errorObject(error, handled) {
    if (!(error instanceof Error)) {
      const errorMessage = error === undefined ? 'undefined' : error;
      return { errorMessage, errorType: handled ? 'FunctionHandledError' : 'FunctionUnhandledError' };
    }
    const stackTrace = console.framesOf(error).map((frame) => frame.trim());
    return { errorMessage: String(error.message), errorType: String(error.name), stackTrace };
  }

  function jsonOf(report) {
    try {
      return stringify(report).toWellFormed();
    } catch {
      return stringify({ ...report, errorMessage: console.inspect(report.errorMessage) }).toWellFormed();
    }
  }

  function reportFailure(error, handled) {
    if (isOutOfMemory(error)) {
      native.outOfMemory();
      return;
    }
    const report = errorObject(error, handled);
    const payload = jsonOf(report);
    console.write('error', payload);
    const { errorType, errorMessage } = report;
    const told = typeof errorMessage === 'string' ? errorMessage : console.inspect(errorMessage);
    native.failed(handled, `${errorType}: ${told}`.toWellFormed(), payload);
  }

  // Buffer: its bytes; object: its JSON; nothing: nothing; anything else: its text (ND-3).
  function reportResult(value) {
    if (Buffer.isBuffer(value)) {
      native.doneBytes(value.length, value.length > settings.maxResult ? '' : binary(value));
      return;
    }
    const isObject = typeof value === 'object' && value !== null;
    const text = isObject ? stringify(value) ?? '' : value === undefined || value === null ? '' : String(value);
    native.done(text.length, text.length > settings.maxResult ? '' : text.toWellFormed());
  }

  // Tells the host how the call ended, once it has and nothing it waits for is left.
  function report(call) {
    if (call.reported || !call.settled) return;
    const waits = !call.settled.failed && call.context.waitsForEmptyEventLoopBeforeCallback;
    if (waits && timers.size > 0) return;
    call.reported = true;
    if (call.settled.failed) {
      reportFailure(call.settled.value, call.settled.handled);
      return;
    }
    try {
      reportResult(call.settled.value);
    } catch (error) {
      reportFailure(error, false);
    }
  }

  function settle(call, settled) {
    if (call === current && !call.settled) call.settled = settled;
  }

  const fail = (call, value) => settle(call, { failed: true, handled: false, value });

  function callbackOf(call) {
    let called = false;
    return (error, value) => {
      if (called) {
        console.logger.warn('callback was called more than once; only the first call counts');
        return;
      }
      called = true;
      const failed = error !== undefined && error !== null;
      settle(call, failed ? { failed, handled: true, value: error } : { failed, value });
    };
  }

  function begin(request, event) {
    const asked = parse(request);
    const call = { context: contextOf(asked), settled: null, reported: false };
    current = call;
    try {
      const { handler, exports } = load(asked);
      const before = asked.isHook ? [] : [eventOf(event)];
      const takesCallback = handler.length > before.length + 1;
      const returned = handler.call(exports, ...before, call.context, callbackOf(call));
      if (typeof returned?.then === 'function') {
        // A handler that takes a callback and gives nothing back will call it.
        const done = (value) => takesCallback && value === undefined || settle(call, { value });
        returned.then(done, (error) => fail(call, error));
      } else if (!takesCallback) {
        settle(call, { value: returned });
      }
    } catch (error) {
      fail(call, error);
    }
  }

  function eventOf(bytes) {
    const event = adopt(bytes);
    if (settings.eventAs !== 'object') return event;
    try {
      return parse(event);
    } catch {
      return event;
    }
  }

  class Timeout {
    constructor(id) {
      this.id = id;
    }

    ref() {
      return this;
    }

    unref() {
      return this;
    }

    [Symbol.toPrimitive]() {
      return this.id;
    }
  }

  function setTimeout(callback, delay = 1, ...values) {
    if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be of type function');
    const wait = Number(delay) >= 1 && Number(delay) < 2 ** 31 ? Number(delay) : 1;
    lastTimer += 1;
    timers.set(lastTimer, { at: native.now() + wait, run: () => callback(...values) });
    return new Timeout(lastTimer);
  }

  function clearTimeout(timeout) {
    if (timeout !== undefined && timeout !== null) timers.delete(Number(timeout));
  }

  function earliest() {
    let first = null;
    for (const [id, timer] of timers) {
      if (first === null || timer.at < first.at) first = { id, ...timer };
    }
    return first;
  }

  // Fails the call over rejections nobody took, reports it, then fires one timer that is due; says whether there was one.
  function step() {
    for (const value of unhandled.values()) {
      current.settled = { failed: true, handled: false, value };
    }
    unhandled.clear();
    report(current);
    const timer = earliest();
    if (current.reported || timer === null || timer.at > native.now()) return false;
    timers.delete(timer.id);
    try {
      timer.run();
    } catch (error) {
      fail(current, error);
    }
    return true;
  }

  // The moment of the next timer.
  function due() {
    return earliest()?.at;
  }

  function rejected(promise, reason, isHandled) {
    if (isHandled) unhandled.delete(promise);
    else unhandled.set(promise, reason);
  }

  const process = { env: { ...settings.env } };
  const globals = { console: console.console, Buffer, TextEncoder, TextDecoder, setTimeout, clearTimeout, process };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
  return { begin, step, due, rejected };
})
