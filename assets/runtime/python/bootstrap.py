"""Runs a Function Compute handler for moonport: asks the runtime API for one request after the other.

Standard library only, and little of it: what is imported here is waited for by the first request. Log records are
framed on standard output so that a record of several lines stays one; the host writes time and request id before them.
"""

import _signal
import _socket
import _thread
import os
import sys

MAX_RECORD = 128 * 1024
MAX_FRAME = 4096
MAGIC = b"\xed\xdb\xac\x9b"
KEPT_VARIABLES = {
    "FC_FUNC_CODE_PATH",
    "FC_FUNCTION_MEMORY_SIZE",
    "FC_FUNCTION_VERSION",
    "FC_RUNTIME_VERSION",
    "FC_ACCOUNT_ID",
    "FC_FUNCTION_HANDLER",
    "FC_FUNCTION_NAME",
    "FC_SERVICE_NAME",
    "FC_VER_ID",
    "FC_QUALIFIER",
    "FC_REGION",
    "FC_INSTANCE_ID",
    "FC_SNAPSHOT_FLAG",
}


class Api:
    """One connection to the runtime API."""

    def __init__(self, address):
        place, _, secret = address.partition("/")
        host, _, port = place.rpartition(":")
        self.base = "/%s/2020-11-11/runtime" % secret
        self.socket = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        self.socket.connect((host, int(port)))
        self.socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self.pending = b""

    def request(self, method, path, body=b"", header=""):
        """Sends a request and returns status, headers and body of the answer."""
        head = "%s %s%s HTTP/1.1\r\nhost: moonport\r\ncontent-length: %d\r\n%s\r\n" % (
            method,
            self.base,
            path,
            len(body),
            header,
        )
        self.socket.sendall(head.encode("latin-1") + body)
        return self.answer()

    def answer(self):
        while b"\r\n\r\n" not in self.pending:
            self.pending += self.receive()
        head, _, rest = self.pending.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "replace").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        body = bytearray(rest)
        while len(body) < length:
            body += self.receive()
        self.pending = bytes(body[length:])
        return int(lines[0].split(" ")[1]), headers, bytes(body[:length])

    def receive(self):
        chunk = self.socket.recv(1 << 20)
        if not chunk:
            # The host is gone; nobody would hear a good-bye.
            os._exit(1)
        return chunk


class Records:
    """Writes framed log records; a frame is small enough for a pipe to take it whole."""

    def __init__(self):
        self.lock = _thread.RLock()

    def write(self, label, text):
        label = label.encode("utf-8", "replace")[:255]
        try:
            message = text[: MAX_RECORD + 1].encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            message = text[: MAX_RECORD + 1].encode("utf-8", "backslashreplace")
        room = MAX_FRAME - 8 - 6 - len(label)
        writer = os.getpid().to_bytes(4, "big")
        with self.lock:
            start = 0
            while True:
                part = message[start : start + room]
                start += room
                more = b"\x01" if start < len(message) else b"\x00"
                payload = more + writer + bytes((len(label),)) + label + part
                self.frame(MAGIC + len(payload).to_bytes(4, "big") + payload)
                if more == b"\x00":
                    return

    @staticmethod
    def frame(frame):
        while frame:
            try:
                frame = frame[os.write(1, frame) :]
            except BlockingIOError:
                import time

                time.sleep(0.001)
            except OSError:
                return


RECORDS = Records()


class Current:
    """The request in progress; `None` between requests."""

    request_id = None


# Events


class EventByte(int):
    """A byte of an event that says what to do when it is taken for a message."""

    def __getitem__(self, key):
        raise TypeError(HOW_TO_DECODE)


HOW_TO_DECODE = "the event is bytes: decode it first, as in json.loads(event), or set event_as = \"object\""


class Event(bytes):
    """The exact bytes of an event, shown as the decoded value when printed."""

    def __repr__(self):
        import json

        try:
            return repr(json.loads(self))
        except (ValueError, RecursionError):
            return bytes.__repr__(self)

    __str__ = __repr__

    def __format__(self, spec):
        return format(str(self), spec)

    def __getitem__(self, key):
        if isinstance(key, str):
            raise TypeError(HOW_TO_DECODE)
        item = bytes.__getitem__(self, key)
        return EventByte(item) if isinstance(item, int) else item

    def __iter__(self):
        return map(EventByte, bytes.__iter__(self))


def form_event(payload, event_as):
    if event_as == "auto":
        return Event(payload)
    if event_as == "object":
        import json

        try:
            return json.loads(payload)
        except (ValueError, RecursionError):
            return payload
    return payload


# Context


class Fields:
    """A bundle of named values."""

    def __init__(self, **values):
        self.__dict__.update(values)


class Context(Fields):
    """What a handler is told about its request."""

    def getLogger(self):
        return self.logger

    def to_json(self):
        import json

        return json.dumps(
            {
                "requestId": self.request_id,
                "credentials": {
                    "accessKeyId": self.credentials.access_key_id,
                    "accessKeySecret": self.credentials.access_key_secret,
                    "securityToken": self.credentials.security_token,
                },
                "function": {
                    "name": self.function.name,
                    "handler": self.function.handler,
                    "memory": self.function.memory,
                    "timeout": self.function.timeout,
                },
                "service": {
                    "name": self.service.name,
                    "logProject": self.service.log_project,
                    "logStore": self.service.log_store,
                    "qualifier": self.service.qualifier,
                    "versionId": self.service.version_id,
                },
                "region": self.region,
                "accountId": self.account_id,
                "retryCount": self.retry_count,
                "tracing": {
                    "openTracingSpanContext": self.tracing.span_context,
                    "openTracingSpanBaggages": self.tracing.span_baggages,
                    "jaegerEndpoint": self.tracing.jaeger_endpoint,
                },
            }
        )


class Context312(Context):
    """The context of Python 3.12, from which some of the older fields are gone."""

    GONE = {
        "credentials": "read ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and "
        "ALIBABA_CLOUD_SECURITY_TOKEN from the environment",
        "service": "there are no services; see context.function, context.log_project and context.log_store",
    }

    def __init__(self, **values):
        Context.__init__(self, **{name: value for name, value in values.items() if name not in self.GONE})

    def __getattr__(self, name):
        hint = self.GONE.get(name)
        told = "the context of python3.12 has no '%s'" % name
        raise AttributeError("%s: %s" % (told, hint) if hint else told)

    def to_json(self):
        import json

        return json.dumps(
            {
                "requestId": self.request_id,
                "function": {
                    "name": self.function.name,
                    "handler": self.function.handler,
                    "memory": self.function.memory,
                    "timeout": self.function.timeout,
                    "versionId": self.function.version_id,
                    "qualifier": self.function.qualifier,
                },
                "region": self.region,
                "accountId": self.account_id,
                "logProject": self.log_project,
                "logStore": self.log_store,
            }
        )


def make_context(kind, headers, logger):
    def text(name):
        return headers.get("x-fc-" + name, "")

    def number(name):
        value = text(name)
        return int(value) if value.isdigit() else 0

    key, secret, token = text("access-key-id"), text("access-key-secret"), text("security-token")
    return kind(
        request_id=text("request-id"),
        requestId=text("request-id"),
        credentials=Fields(
            access_key_id=key,
            access_key_secret=secret,
            security_token=token,
            accessKeyId=key,
            accessKeySecret=secret,
            securityToken=token,
        ),
        function=Fields(
            name=text("function-name"),
            handler=text("function-handler"),
            memory=number("function-memory"),
            timeout=number("function-timeout"),
            version_id=text("version-id"),
            qualifier=text("qualifier"),
        ),
        service=Fields(
            name=text("service-name"),
            log_project=text("service-logproject"),
            log_store=text("service-logstore"),
            qualifier=text("qualifier"),
            version_id=text("version-id"),
        ),
        region=text("region"),
        account_id=text("account-id"),
        retry_count=number("retry-count"),
        tracing=Fields(span_context="", span_baggages={}, jaeger_endpoint=""),
        log_project=text("service-logproject"),
        log_store=text("service-logstore"),
        logger=logger,
    )


# Results and errors


def to_json(value):
    import json

    return json.dumps(value, default=to_jsonable, indent=4, sort_keys=True)


def to_jsonable(value):
    # A value of these types can only exist when its module is loaded.
    decimal, datetime = sys.modules.get("decimal"), sys.modules.get("datetime")
    if decimal and isinstance(value, decimal.Decimal):
        return float(value)
    if datetime and isinstance(value, datetime.date):
        return value.isoformat()
    if hasattr(value, "to_json"):
        return value.to_json()
    raise TypeError("%r is not JSON serializable" % (value,))


def to_result(value):
    if isinstance(value, bytes):
        return bytes(value)
    if not isinstance(value, str):
        value = to_json(value)
    return value.encode("utf-8", "surrogateescape")


def frames_of(lines):
    """Each frame as the parts of its first line and the source below it."""
    frames = []
    for entry in lines:
        first, _, rest = entry.partition("\n")
        frame = [part.strip() for part in first.split(",")]
        source = rest.split("\n")[0].strip()
        frames.append(frame + [source] if source else frame)
    return frames


def error_object(error):
    import traceback

    # The first frame is this file's.
    trace = error.__traceback__.tb_next if error.__traceback__ else None
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": frames_of(traceback.format_tb(trace)),
    }


class LoadError(Exception):
    """A handler that cannot be had; carries the object that is logged and answered."""

    def __init__(self, kind, message, cause=None):
        Exception.__init__(self, message)
        self.object = {"errorMessage": message, "errorType": kind}
        if cause is not None:
            self.object["stackTrace"] = cause_lines(cause)


def cause_lines(cause):
    import traceback

    lines = []
    for entry in traceback.format_exception_only(type(cause), cause):
        for line in entry.split("\n"):
            line = line.replace("^", "").strip()
            if line.startswith("File "):
                lines.extend(part.strip() for part in line.split(","))
            elif line:
                lines.append(line)
    return lines


# Handlers


class Handlers:
    """Loads a handler when a request first needs it and keeps it."""

    def __init__(self):
        self.loaded = {}

    def get(self, handler):
        if handler not in self.loaded:
            self.loaded[handler] = self.load(handler)
        return self.loaded[handler]

    @staticmethod
    def load(handler):
        path, dot, name = handler.rpartition(".")
        if not dot or not path or not name:
            raise LoadError("InvalidHandleName", "Invalid handler '%s'" % handler)
        module_name = path.replace("/", ".").strip(".")
        try:
            __import__(module_name)
            module = sys.modules[module_name]
        except ImportError as cause:
            message = "Unable to import module '%s'" % path
            raise LoadError("ImportModuleError", message, cause) from None
        except SyntaxError as cause:
            message = "Syntax error in module '%s'" % path
            raise LoadError("UserCodeSyntaxError", message, cause) from None
        except Exception as cause:
            message = "Module initialization error: '%s'" % cause
            raise LoadError("UserCodeError", message, cause) from None
        if not hasattr(module, name):
            message = "Handler '%s' is missing on module '%s'" % (name, path)
            raise LoadError("HandlerNotFound", message)
        return getattr(module, name)


# The process


def set_up_logging():
    import logging

    class ToHost(logging.Handler):
        def emit(self, record):
            try:
                text = self.format(record)
            except Exception:
                self.handleError(record)
                return
            RECORDS.write(record.levelname, text)

    root = logging.getLogger()
    root.addHandler(ToHost())
    level = os.environ.get("FC_SERVER_LOG_LEVEL", "INFO").upper()
    root.setLevel(level if level in logging._nameToLevel else "INFO")
    return root


def set_memory_limit():
    """A net for one huge allocation; the host measures what is really used.

    Linux counts only private, writable memory as data: not the files that a library maps, nor what is merely set aside.
    The room above the function's memory is for what is asked for and never touched, such as the stacks of threads.
    """
    try:
        import resource

        kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
        limit = (int(os.environ["FC_FUNCTION_MEMORY_SIZE"]) + 1024) * 1024 * 1024
        _, most = resource.getrlimit(kind)
        if most == resource.RLIM_INFINITY or limit < most:
            resource.setrlimit(kind, (limit, most))
    except (ImportError, KeyError, ValueError, OSError):
        pass


def on_terminate(_signal_number, _frame):
    """At the end of a request's time: where every thread stands. Between requests: an orderly exit."""
    if Current.request_id is None:
        raise SystemExit(0)
    import traceback

    RECORDS.write("ERROR", "Dumping stack trace after function timeout")
    for thread, top in sys._current_frames().items():
        stack = [frame for frame in traceback.extract_stack(top) if frame.filename != __file__]
        if stack:
            frames = frames_of(traceback.format_list(stack))
            RECORDS.write("ERROR", "request id = %s, thread id = %d" % (Current.request_id, thread))
            RECORDS.write("ERROR", str(frames))
    os._exit(143)


def hold(address):
    """Ends the process when the host goes away, whatever the handler is doing."""
    try:
        Api(address).request("GET", "/hold")
    finally:
        os._exit(1)


def set_up_path(layers):
    """The code, then each layer, which may be laid out as in the cloud: `python/lib/pythonX.Y/site-packages`, `python`."""
    inner = "python/lib/python%d.%d/site-packages" % sys.version_info[:2], "python", ""
    folders = [os.path.join(layer, below) for layer in layers.split(os.pathsep) if layer for below in inner]
    code = os.environ.get("FC_FUNC_CODE_PATH") or os.getcwd()
    # The first entry is the folder of this file.
    sys.path[:1] = [code] + [folder for folder in folders if os.path.isdir(folder)]


def clear_environment():
    for name in list(os.environ):
        if name.startswith(("FC_", "_FC_")) and name not in KEPT_VARIABLES:
            del os.environ[name]


def serve(api, handlers, logger, event_as, context_kind):
    status, headers, payload = api.request("GET", "/invocation/next")
    if status != 200:
        raise SystemExit(0)
    kind = headers.get("x-fc-function-type", "0")
    context = make_context(context_kind, headers, logger)
    Current.request_id = context.request_id
    ended, body = run(kind, headers, payload, context, handlers, event_as)
    Current.request_id = None
    api.request("POST", "/invocation/%s/%s" % (context.request_id, ended), body)


def run(kind, headers, payload, context, handlers, event_as):
    """Calls the handler; returns how it ended, as the API names it, and what to answer."""
    hooks = {
        "1": "x-fc-function-initializer",
        "2": "x-fc-instance-lifecycle-pre-stop-handler",
        "3": "x-fc-instance-lifecycle-pre-freeze-handler",
    }
    try:
        if kind in hooks:
            handlers.get(headers.get(hooks[kind], ""))(context)
            return "response", b""
        handler = handlers.get(context.function.handler)
        return "response", to_result(handler(form_event(payload, event_as), context))
    except LoadError as error:
        RECORDS.write("ERROR", str(error.object))
        return "error", to_json(error.object).encode()
    except SystemExit:
        raise
    except BaseException as error:
        text = to_json(error_object(error))
        RECORDS.write("ERROR", text)
        return "error", text.encode()


def main():
    address = os.environ["FC_RUNTIME_API"]
    event_as = os.environ.get("_FC_EVENT_AS", "auto")
    layers = os.environ.get("_FC_LAYERS", "")
    context_kind = Context312 if os.environ.get("_FC_RUNTIME") == "python3.12" else Context
    api = Api(address)
    _thread.start_new_thread(hold, (address,))
    set_memory_limit()
    set_up_path(layers)
    logger = set_up_logging()
    clear_environment()
    _signal.signal(_signal.SIGTERM, on_terminate)
    handlers = Handlers()
    while True:
        serve(api, handlers, logger, event_as, context_kind)


if __name__ == "__main__":
    main()
