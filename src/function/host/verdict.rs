//! What an invocation's end means: error class, answer to the caller, and the end of the End line (LOG-4…LOG-10).

use bytes::Bytes;
use serde_json::json;

use crate::domain::function::ErrorClass;
use crate::function::invocation::MAX_EVENT;
use crate::function::runtime::{Answer, Exit, Failure};

/// A call that is over.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ended {
    pub(super) answer: Answer,
    pub(super) cause: Cause,
    /// Milliseconds.
    pub(super) duration_ms: f64,
    pub(super) peak_memory_mb: f64,
}

/// Who ended the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The code itself.
    Code,
    /// The deadline; whatever the answer was, it came too late.
    Deadline,
    /// The host is stopping.
    Stop,
}

/// How the end is told.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Verdict {
    pub(super) error: Option<ErrorClass>,
    pub(super) message: Option<String>,
    /// Follows the request id on the End line.
    pub(super) suffix: String,
    pub(super) result: Bytes,
    pub(super) exit: Option<String>,
}

/// Judges a call of a function with this timeout (seconds) and memory (MB).
pub(super) fn judge(ended: &Ended, timeout: u32, memory: u32) -> Verdict {
    let exit = match &ended.answer {
        Answer::Exited(exit) => Some(exit),
        Answer::Done(_) | Answer::Failed(_) => None,
    };
    let verdict = match (&ended.cause, &ended.answer) {
        (Cause::Stop, _) => Verdict {
            error: Some(ErrorClass::ProcessExited),
            message: Some("moonport stopped while the function ran".to_owned()),
            suffix: ", Error: moonport stopped".to_owned(),
            ..Verdict::default()
        },
        (Cause::Deadline, _) => timed_out(ended, timeout),
        (Cause::Code, Answer::Done(result)) if result.len() <= MAX_EVENT => Verdict {
            result: result.clone(),
            ..Verdict::default()
        },
        (Cause::Code, Answer::Done(result)) => failed(&too_large(result.len())),
        (Cause::Code, Answer::Failed(failure)) => failed(failure),
        (Cause::Code, Answer::Exited(Exit::OutOfMemory)) => out_of_memory(ended, memory),
        (Cause::Code, Answer::Exited(exit)) => exited(ended, exit),
    };
    Verdict {
        exit: exit.map(ToString::to_string),
        ..verdict
    }
}

fn failed(failure: &Failure) -> Verdict {
    let how = match failure.class {
        ErrorClass::FunctionHandledError => "Handled",
        _ => "Unhandled",
    };
    Verdict {
        error: Some(failure.class),
        message: Some(failure.message.clone()),
        suffix: format!(", Error: {how} function error"),
        result: failure.payload.clone(),
        exit: None,
    }
}

fn too_large(size: usize) -> Failure {
    let message = format!("the result is {size} bytes, at most {MAX_EVENT} are allowed");
    Failure {
        class: ErrorClass::EntityTooLarge,
        payload: error_object(&message),
        message,
    }
}

fn timed_out(ended: &Ended, timeout: u32) -> Verdict {
    let told = format!("Function timed out after {timeout} seconds");
    let memory = ended.peak_memory_mb;
    Verdict {
        error: Some(ErrorClass::FunctionTimeoutError),
        result: error_object(&format!("{told} (maxMemoryUsage: {memory:.2}MB)")),
        suffix: format!(", Error: {told}"),
        message: Some(told),
        exit: None,
    }
}

fn out_of_memory(ended: &Ended, memory: u32) -> Verdict {
    let told = format!("Function used more than its {memory} MB of memory");
    let peak = ended.peak_memory_mb;
    Verdict {
        error: Some(ErrorClass::FunctionOomError),
        result: error_object(&format!("{told} (maxMemoryUsage: {peak:.2}MB)")),
        suffix: format!(", Error: {told}"),
        message: Some(told),
        exit: None,
    }
}

fn exited(ended: &Ended, exit: &Exit) -> Verdict {
    let (duration, memory) = (ended.duration_ms, ended.peak_memory_mb);
    let told = "Process exited unexpectedly";
    Verdict {
        error: Some(ErrorClass::ProcessExited),
        result: error_object(&format!(
            "{told} before completing request (duration: {duration:.0}ms, maxMemoryUsage: {memory:.0}MB)"
        )),
        suffix: format!(", Error: {told} ({exit})"),
        message: Some(format!("{told} ({exit})")),
        exit: None,
    }
}

/// The answer to a caller when the platform, not the code, has something to say.
pub(super) fn error_object(message: &str) -> Bytes {
    json!({ "errorMessage": message }).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(answer: Answer, cause: Cause) -> Ended {
        Ended {
            answer,
            cause,
            duration_ms: 12.4,
            peak_memory_mb: 37.046,
        }
    }

    fn suffix_and_result(answer: Answer, cause: Cause) -> (String, String) {
        let verdict = judge(&ended(answer, cause), 3, 512);
        let result = String::from_utf8(verdict.result.to_vec()).unwrap();
        (verdict.suffix, result)
    }

    #[test]
    fn success_has_no_suffix_log4() {
        let answer = Answer::Done(Bytes::from_static(b"OK"));
        assert_eq!(
            suffix_and_result(answer, Cause::Code),
            (String::new(), "OK".to_owned())
        );
    }

    #[test]
    fn a_timeout_is_told_in_seconds_even_when_an_answer_came_late_log8() {
        let answer = Answer::Done(Bytes::from_static(b"OK"));
        assert_eq!(
            suffix_and_result(answer, Cause::Deadline),
            (
                ", Error: Function timed out after 3 seconds".to_owned(),
                r#"{"errorMessage":"Function timed out after 3 seconds (maxMemoryUsage: 37.05MB)"}"#
                    .to_owned()
            )
        );
    }

    #[test]
    fn an_exit_names_its_code_or_signal_log9() {
        let (suffix, result) = suffix_and_result(Answer::Exited(Exit::Code(3)), Cause::Code);
        assert_eq!(suffix, ", Error: Process exited unexpectedly (exit code 3)");
        assert_eq!(
            result,
            r#"{"errorMessage":"Process exited unexpectedly before completing request (duration: 12ms, maxMemoryUsage: 37MB)"}"#
        );
        let killed = Answer::Exited(Exit::Signal("SIGKILL".to_owned()));
        assert_eq!(
            suffix_and_result(killed, Cause::Code).0,
            ", Error: Process exited unexpectedly (signal SIGKILL)"
        );
    }

    #[test]
    fn handled_and_unhandled_errors_differ_log4() {
        let failure = |class| {
            Answer::Failed(Failure {
                class,
                message: "boom".to_owned(),
                payload: Bytes::from_static(b"{}"),
            })
        };
        assert_eq!(
            suffix_and_result(failure(ErrorClass::FunctionUnhandledError), Cause::Code).0,
            ", Error: Unhandled function error"
        );
        assert_eq!(
            suffix_and_result(failure(ErrorClass::FunctionHandledError), Cause::Code).0,
            ", Error: Handled function error"
        );
    }

    #[test]
    fn a_result_over_the_limit_is_refused() {
        let answer = Answer::Done(Bytes::from(vec![0; MAX_EVENT + 1]));
        let verdict = judge(&ended(answer, Cause::Code), 3, 512);
        assert_eq!(verdict.error, Some(ErrorClass::EntityTooLarge));
    }
}
