//! The tables `[[expect]]`.

use crate::domain::names::{FunctionName, TriggerName};
use crate::workflow::file::{Expectation, Placed};
use crate::workflow::parse::reader::Section;

/// `function` with `log` and perhaps `times`, or `trigger` with `dead-letters`.
pub(super) fn read(mut section: Section<'_>) -> Option<Placed<Expectation>> {
    let given = ["function", "log", "trigger", "dead-letters"].map(|key| section.holds(key));
    let function: Option<FunctionName> = section.checked("function");
    let text: Option<String> = section.checked("log");
    let times = section.number("times", 0..=u64::MAX);
    let trigger: Option<TriggerName> = section.checked("trigger");
    let count = section.number("dead-letters", 0..=u64::MAX);
    section.finish();
    match given {
        [true, true, false, false] => Some(section.place(Expectation::Log {
            function: function?,
            text: text?,
            times,
        })),
        [false, false, true, true] => Some(section.place(Expectation::DeadLetters {
            trigger: trigger?,
            count: count?,
        })),
        _ => {
            let what = "`[[expect]]` needs `function` and `log`, or `trigger` and `dead-letters`";
            section.note(section.line(), what.to_owned(), None);
            None
        }
    }
}
