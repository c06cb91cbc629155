//! What the host lends to the script side: the log, the clock, text coding, code from a file, and the end of a call.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rquickjs::context::EvalOptions;
use rquickjs::prelude::Func;
use rquickjs::{Ctx, Exception, Function, Object, Result, TypedArray};
use serde_json::json;

use crate::clock::RealClock;
use crate::domain::function::ErrorClass;
use crate::function::invocation::MAX_EVENT;
use crate::function::log::{Prefix, RequestLog};
use crate::function::runtime::{Answer, Exit, Failure};

/// What the present call has of the host, shared by the engine and the functions it lends out.
pub(super) struct Desk {
    real: RealClock,
    /// The zero of the script's clock.
    started: Instant,
    log: RefCell<Arc<RequestLog>>,
    answer: RefCell<Option<Answer>>,
}

impl Desk {
    pub(super) fn new(real: RealClock, log: Arc<RequestLog>) -> Self {
        Self {
            started: real.now(),
            real,
            log: RefCell::new(log),
            answer: RefCell::default(),
        }
    }

    /// Makes room for a call.
    pub(super) fn begin(&self, log: Arc<RequestLog>) {
        self.log.replace(log);
        self.answer.take();
    }

    pub(super) fn log(&self, label: &str, text: &str) {
        let log = self.log.borrow().clone();
        log.record(Prefix::SpacedTime, label, text);
    }

    pub(super) fn is_answered(&self) -> bool {
        self.answer.borrow().is_some()
    }

    pub(super) fn take_answer(&self) -> Option<Answer> {
        self.answer.take()
    }

    /// The moment that the script calls `millis`.
    pub(super) fn moment(&self, millis: f64) -> Instant {
        let span = std::time::Duration::try_from_secs_f64(millis.max(0.0) / 1000.0);
        self.started + span.unwrap_or_default()
    }

    fn millis(&self) -> f64 {
        (self.real.now() - self.started).as_secs_f64() * 1000.0
    }

    fn answer(&self, answer: Answer) {
        self.answer.replace(Some(answer));
    }

    /// The first answer counts; the bridge gives one per call.
    fn done(&self, length: f64, result: Bytes) {
        let size = length as usize;
        if size <= MAX_EVENT {
            return self.answer(Answer::Done(result));
        }
        let message = format!("the result is {size} bytes, at most {MAX_EVENT} are allowed");
        self.answer(Answer::Failed(Failure {
            class: ErrorClass::EntityTooLarge,
            payload: json!({ "errorMessage": message }).to_string().into(),
            message,
        }));
    }
}

/// The object that the script side gets; scripts of users never see it.
pub(super) fn object<'js>(ctx: &Ctx<'js>, desk: &Rc<Desk>) -> Result<Object<'js>> {
    let native = Object::new(ctx.clone())?;
    native.set("encode", Func::new(encode))?;
    native.set("decode", Func::new(decode))?;
    native.set("compile", Func::new(compile))?;
    let at = desk.clone();
    native.set("now", Func::new(move || at.millis()))?;
    let at = desk.clone();
    native.set(
        "log",
        Func::new(move |label: String, text: String| at.log(&label, &text)),
    )?;
    let at = desk.clone();
    native.set(
        "done",
        Func::new(move |length: f64, text: String| at.done(length, text.into())),
    )?;
    let at = desk.clone();
    native.set(
        "doneBytes",
        Func::new(move |length: f64, binary: String| at.done(length, unbinary(&binary).into())),
    )?;
    let at = desk.clone();
    native.set(
        "failed",
        Func::new(move |handled: bool, message: String, payload: String| {
            at.answer(Answer::Failed(failure(handled, &message, payload)));
        }),
    )?;
    let at = desk.clone();
    native.set(
        "outOfMemory",
        Func::new(move || at.answer(Answer::Exited(Exit::OutOfMemory))),
    )?;
    Ok(native)
}

fn failure(handled: bool, message: &str, payload: String) -> Failure {
    Failure {
        class: if handled {
            ErrorClass::FunctionHandledError
        } else {
            ErrorClass::FunctionUnhandledError
        },
        message: message.replace(['\r', '\n'], " "),
        payload: payload.into(),
    }
}

fn encode(ctx: Ctx<'_>, text: String) -> Result<TypedArray<'_, u8>> {
    TypedArray::new_copy(ctx, text)
}

/// UTF-8 text of bytes, which come as one character each.
fn decode(ctx: Ctx<'_>, binary: String, fatal: bool) -> Result<String> {
    match String::from_utf8(unbinary(&binary)) {
        Ok(text) => Ok(text),
        Err(_) if fatal => Err(Exception::throw_type(
            &ctx,
            "The encoded data was not valid for encoding utf-8",
        )),
        Err(broken) => Ok(String::from_utf8_lossy(broken.as_bytes()).into_owned()),
    }
}

fn unbinary(text: &str) -> Vec<u8> {
    text.chars().map(|character| character as u8).collect()
}

/// The code of a file as a function of `exports`, `require`, `module`, `__filename` and `__dirname`; nothing when there is
/// no such file.
fn compile(ctx: Ctx<'_>, path: String) -> Result<Option<Function<'_>>> {
    let source = match std::fs::read_to_string(&path) {
        Ok(source) => source,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let message = format!("Module '{path}' cannot be read: {error}");
            return Err(Exception::throw_message(&ctx, &message));
        }
    };
    let source = source.trim_start_matches('\u{feff}');
    // On the first line of the source, so that line numbers in stack traces are those of the file.
    let wrapped =
        format!("(function (exports, require, module, __filename, __dirname) {{{source}\n}})");
    evaluate(&ctx, &path, wrapped).map(Some)
}

/// Evaluates a script that is one function; `name` stands for it in stack traces.
pub(super) fn evaluate<'js>(ctx: &Ctx<'js>, name: &str, source: String) -> Result<Function<'js>> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(name.to_owned());
    ctx.eval_with_options(source, options)
}
