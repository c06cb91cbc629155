//! Create or change a function.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::control::functions::PutFunction;
use crate::domain::function::{FunctionDefinition, Runtime};
use crate::domain::limits::check_function;
use crate::domain::names::FunctionName;
use crate::ui::dialog::form::{Fault, Field, FormSpec, Kind, Submit, Values};
use crate::ui::dialog::send::words;
use crate::ui::dialog::topic_form::free_name;
use crate::ui::effect::Deed;
use crate::ui::state::Shared;

pub struct FunctionForm {
    old: Option<FunctionDefinition>,
}

impl FunctionForm {
    pub fn add() -> Self {
        Self { old: None }
    }

    pub fn edit(definition: &FunctionDefinition) -> Self {
        Self {
            old: Some(definition.clone()),
        }
    }

    /// The definition that is typed, with what the form does not show taken over.
    fn definition(
        &self,
        values: &Values<'_>,
        faults: &mut Vec<Fault>,
    ) -> Option<FunctionDefinition> {
        let mut number = |key, min, max| {
            values
                .number(key, min, max)
                .map_err(|fault| faults.push(fault))
                .ok()
        };
        let timeout = number("timeout", 1, 86_400);
        let memory = number("memory", 128, 32_768);
        let concurrency = number("concurrency", 1, 200);
        let instances = number("max-instances", 1, 1_000);
        let environment = words::read(values.text("environment"))
            .map_err(|problem| faults.push(Fault::new("environment", problem)))
            .ok();
        let name = match &self.old {
            Some(old) => Some(old.name.clone()),
            None => FunctionName::new(values.text("name"))
                .map_err(|error| faults.push(Fault::new("name", error.to_string())))
                .ok(),
        };
        let runtime = Runtime::ALL
            .into_iter()
            .find(|runtime| runtime.as_str() == values.text("runtime"))?;
        let code = PathBuf::from(values.text("code"));
        if runtime != Runtime::Rust && !code.is_absolute() {
            faults.push(Fault::new("code", "the whole path of a folder"));
        }
        let handler = values.text("handler").to_owned();
        let name = name?;
        let mut definition = self.old.clone().unwrap_or_else(|| {
            FunctionDefinition::new(name, runtime, code.clone(), handler.clone())
        });
        definition.runtime = runtime;
        definition.code = code;
        definition.handler = handler;
        definition.timeout = timeout? as u32;
        definition.memory = memory? as u32;
        definition.concurrency = concurrency? as u32;
        definition.max_instances = instances? as u32;
        definition.environment = environment?.into_iter().collect::<BTreeMap<_, _>>();
        definition.watch = values.on("watch");
        Some(definition)
    }
}

impl FormSpec for FunctionForm {
    fn title(&self) -> String {
        match &self.old {
            None => "New function".to_owned(),
            Some(old) => format!("Function {}", old.name),
        }
    }

    fn verb(&self) -> &'static str {
        if self.old.is_some() { "Save" } else { "Create" }
    }

    fn fields(&self) -> Vec<Field> {
        let old = self.old.as_ref();
        let number = |value: Option<u32>, default: u32| value.unwrap_or(default).to_string();
        let runtimes: Vec<String> = Runtime::ALL
            .iter()
            .filter(|runtime| **runtime != Runtime::Rust)
            .map(|runtime| runtime.as_str().to_owned())
            .collect();
        let name = Field::text(
            "name",
            old.map_or("", |old| old.name.as_str()),
            "letters, digits, _ and -; at most 64",
        );
        let environment = old.map_or(String::new(), |old| words::write(&old.environment));
        vec![
            if old.is_some() {
                name.fixed("a function keeps its name")
            } else {
                name
            },
            Field::choice(
                "runtime",
                runtimes,
                old.map_or("python3", |old| old.runtime.as_str()),
                "python3, nodejs, embedded js, or custom: any program that serves HTTP",
            ),
            Field::text(
                "code",
                old.map_or(String::new(), |old| old.code.display().to_string()),
                "the folder of the code, as a whole path",
            ),
            Field::text(
                "handler",
                old.map_or("index.handler", |old| &old.handler),
                "file.function; custom runtimes have none",
            ),
            Field::text(
                "timeout",
                number(old.map(|o| o.timeout), 60),
                "seconds; at most 300 behind a trigger",
            ),
            Field::text(
                "memory",
                number(old.map(|o| o.memory), FunctionDefinition::DEFAULT_MEMORY),
                "MB, in steps of 64",
            ),
            Field::text(
                "concurrency",
                number(old.map(|o| o.concurrency), 1),
                "requests one instance serves at once; over 1 only for custom",
            ),
            Field::text(
                "max-instances",
                number(
                    old.map(|o| o.max_instances),
                    FunctionDefinition::DEFAULT_MAX_INSTANCES,
                ),
                "instances at once",
            ),
            Field::text(
                "environment",
                environment,
                "NAME=value words; values with blanks in quotes",
            ),
            Field::toggle(
                "watch",
                old.is_none_or(|old| old.watch),
                "saved code restarts the function",
            ),
        ]
    }

    fn adapt(&self, fields: &mut [Field]) {
        let runtime = fields
            .iter()
            .find(|f| f.key == "runtime")
            .and_then(|f| match &f.kind {
                Kind::Choice { options, at } => options.get(*at).cloned(),
                _ => None,
            });
        let custom = runtime.as_deref() == Some("custom");
        for field in fields.iter_mut() {
            match field.key {
                "handler" => field.fixed = custom.then_some("custom runtimes have no handler"),
                "concurrency" => {
                    field.fixed = (!custom).then_some("this runtime serves one request at a time");
                    if let (Kind::Text(input), false) = (&mut field.kind, custom)
                        && input.text() != "1"
                    {
                        input.set("1");
                    }
                }
                _ => {}
            }
        }
    }

    fn build(&self, values: &Values<'_>, shared: &Shared) -> Result<Submit, Vec<Fault>> {
        let mut faults = Vec::new();
        let definition = self.definition(values, &mut faults);
        if let Some(definition) = &definition {
            if self.old.is_none() {
                let rows = shared.newest.functions.rows.iter();
                let taken = rows.map(|row| row.definition.name.to_string());
                faults.extend(free_name(definition.name.as_str(), taken).err());
            }
            for problem in check_function(definition) {
                if !faults.iter().any(|fault| fault.key == problem.field) {
                    faults.push(Fault::new(problem.field, problem.problem));
                }
            }
        }
        match definition {
            Some(definition) if faults.is_empty() => {
                Ok(Submit::Deed(Box::new(Deed::PutFunction(PutFunction {
                    definition: Box::new(definition),
                }))))
            }
            _ => Err(faults),
        }
    }
}
