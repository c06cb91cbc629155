//! Code that cannot be loaded: what the function's state says of it until a request gets through or the code is saved.

use serde::Deserialize;

use crate::domain::function::{FunctionDefinition, Runtime};
use crate::function::runtime::{Failure, StartError};

/// What the runtimes answer with when a handler cannot be had (PY-4, ND-7).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    error_type: String,
    error_message: String,
    /// Python: the lines of the cause. Node.js: frames.
    #[serde(default)]
    stack_trace: Vec<serde_json::Value>,
}

/// The trouble behind a failed call; `None` when the code was there and failed by itself.
pub(super) fn trouble_of(definition: &FunctionDefinition, failure: &Failure) -> Option<StartError> {
    let told: Told = serde_json::from_slice(&failure.payload).ok()?;
    let hint = hint(definition, &told)?;
    let cause = told.stack_trace.last().and_then(serde_json::Value::as_str);
    let reason = match cause {
        Some(cause) if definition.runtime.is_python() => {
            format!("{}: {cause}", told.error_message)
        }
        _ => told.error_message,
    };
    Some(StartError::CannotRun {
        reason,
        hint: Some(hint),
    })
}

fn hint(definition: &FunctionDefinition, told: &Told) -> Option<String> {
    let handler = &definition.handler;
    let (module, function) = handler.rsplit_once('.').unwrap_or((handler, ""));
    let ending = match definition.runtime {
        Runtime::Python3 | Runtime::Python312 => "py",
        _ => "js",
    };
    let file = format!("{module}.{ending}");
    Some(match told.error_type.as_str() {
        "InvalidHandleName" => {
            "`handler` names a file and a function in it, as in `index.handler`".to_owned()
        }
        "ImportModuleError" if !definition.code.join(&file).is_file() => {
            let code = definition.code.display();
            format!("there is no `{file}` in `{code}`; `handler` is `{handler}`")
        }
        "ImportModuleError" => {
            "install it where the function's interpreter looks: a virtual environment (`python`), \
             a folder of `layers`, or beside the code"
                .to_owned()
        }
        "HandlerNotFound" => format!("define `{function}` in `{file}`, or change `handler`"),
        "UserCodeSyntaxError" => format!("mend {}, and save it", place(&told.stack_trace, &file)),
        "UserCodeError" => format!("`{file}` fails while it is loaded; its log has the lines"),
        _ => return None,
    })
}

/// File and line of a syntax error, as far as the cause names them.
fn place(lines: &[serde_json::Value], file: &str) -> String {
    let texts = lines.iter().filter_map(serde_json::Value::as_str);
    let named: Vec<&str> = texts
        .filter(|text| text.starts_with("File ") || text.starts_with("line "))
        .collect();
    if named.is_empty() {
        return format!("`{file}`");
    }
    named.join(", ").replace("File ", "")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::domain::function::ErrorClass;
    use crate::domain::names::FunctionName;

    fn told(payload: &'static str) -> Option<(String, String)> {
        let definition = FunctionDefinition::new(
            FunctionName::new("f").unwrap(),
            Runtime::Python3,
            PathBuf::from("/nowhere"),
            "index.handler".to_owned(),
        );
        let failure = Failure {
            class: ErrorClass::FunctionUnhandledError,
            message: String::new(),
            payload: payload.into(),
        };
        match trouble_of(&definition, &failure)? {
            StartError::CannotRun { reason, hint } => Some((reason, hint?)),
            StartError::Died { .. } => None,
        }
    }

    #[test]
    fn a_load_failure_is_told_with_its_cause_and_what_to_do_py4() {
        let (reason, hint) = told(
            r#"{"errorMessage":"Syntax error in module 'index'","errorType":"UserCodeSyntaxError",
                "stackTrace":["File \"/code/index.py\"","line 3","def x(","SyntaxError: '(' was never closed"]}"#,
        )
        .unwrap();
        assert_eq!(
            reason,
            "Syntax error in module 'index': SyntaxError: '(' was never closed"
        );
        assert_eq!(hint, "mend \"/code/index.py\", line 3, and save it");
        let (_, hint) = told(
            r#"{"errorMessage":"Unable to import module 'index'","errorType":"ImportModuleError"}"#,
        )
        .unwrap();
        assert_eq!(
            hint,
            "there is no `index.py` in `/nowhere`; `handler` is `index.handler`"
        );
    }

    #[test]
    fn an_error_of_running_code_is_no_trouble_of_the_function() {
        assert_eq!(
            told(r#"{"errorMessage":"no stock","errorType":"ValueError"}"#),
            None
        );
        assert_eq!(told("not json"), None);
    }
}
