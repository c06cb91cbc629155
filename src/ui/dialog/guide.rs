//! The first-run guide: six rows that build the order workflow, each with its state worked out from what there is.

use ratatui::layout::Rect;

use crate::report::Report;
use crate::ui::action::{Action, Context};
use crate::ui::dialog::form::{Form, FormSpec};
use crate::ui::dialog::function_form::FunctionForm;
use crate::ui::dialog::group_form::GroupForm;
use crate::ui::dialog::instance_form::InstanceForm;
use crate::ui::dialog::send::SendDialog;
use crate::ui::dialog::topic_form::TopicForm;
use crate::ui::dialog::trigger_form::TriggerForm;
use crate::ui::dialog::{Dialog, popup};
use crate::ui::effect::{Answer, Deed, Done, Effect, GuideDeed, Query, SendPlan, Ticket};
use crate::ui::options::GuideScript;
use crate::ui::pane::{Command, Commands, Goto};
use crate::ui::state::Shared;
use crate::ui::state::places::{Focus, PaneId};
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::hits::Target;
use crate::ui::widget::json;
use crate::ui::widget::line::{Line, Paint};
use crate::ui::widget::safe;

/// A row of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Instance,
    Topic,
    Group,
    Function,
    Trigger,
    Send,
}

const STEPS: [Step; 6] = [
    Step::Instance,
    Step::Topic,
    Step::Group,
    Step::Function,
    Step::Trigger,
    Step::Send,
];

pub struct Guide {
    asked: Option<Ticket>,
    script: Option<Box<GuideScript>>,
    failed: Option<Report>,
    busy: Option<Ticket>,
    /// What runs ends in the log.
    to_log: bool,
    /// The sample event was sent from here.
    sent: bool,
}

impl Guide {
    pub fn open(shared: &mut Shared) -> (Self, Effect) {
        let ticket = shared.ticket();
        let guide = Self {
            asked: Some(ticket),
            script: None,
            failed: None,
            busy: None,
            to_log: false,
            sent: false,
        };
        (guide, Effect::Query(ticket, Query::Guide))
    }

    /// Whether a step is done, as far as what there is tells.
    fn is_done(&self, step: Step, shared: &Shared) -> bool {
        let Some(script) = &self.script else {
            return false;
        };
        let now = &shared.newest;
        match step {
            Step::Instance => now.instance.is_some(),
            Step::Topic => now.topic(&script.topic.definition.name).is_some(),
            Step::Group => now.group(&script.group.definition.name).is_some(),
            Step::Function => now.function(&script.function.definition.name).is_some(),
            Step::Trigger => now.trigger(&script.trigger.definition.name).is_some(),
            Step::Send => self.sent,
        }
    }

    fn next(&self, shared: &Shared) -> Option<Step> {
        STEPS.into_iter().find(|step| !self.is_done(*step, shared))
    }

    fn deed(&self, step: Step, shared: &Shared) -> Option<Deed> {
        let script = self.script.as_ref()?;
        let instance = shared
            .instance()
            .unwrap_or_else(|| script.instance.definition.id.clone());
        Some(match step {
            Step::Instance => Deed::PutInstance(script.instance.clone()),
            Step::Topic => Deed::PutTopic(script.topic.clone()),
            Step::Group => Deed::PutGroup(script.group.clone()),
            Step::Function => Deed::PutFunction(script.function.clone()),
            Step::Trigger => {
                let mut trigger = script.trigger.clone();
                trigger.definition.instance = instance;
                Deed::PutTrigger(trigger)
            }
            Step::Send => Deed::Send(SendPlan {
                template: script.event.clone(),
                repeat: 1,
                every: std::time::Duration::ZERO,
                stop_on_error: true,
                then: None,
                fill: false,
                first: 1,
            }),
        })
    }

    fn run(&mut self, all: bool, shared: &mut Shared) -> Commands {
        if self.busy.is_some() {
            return Vec::new();
        }
        let Some(next) = self.next(shared) else {
            return self.log();
        };
        let steps: Vec<Step> = if all {
            STEPS
                .into_iter()
                .filter(|step| !self.is_done(*step, shared))
                .collect()
        } else {
            vec![next]
        };
        let deeds: Vec<Deed> = steps
            .iter()
            .filter_map(|step| self.deed(*step, shared))
            .collect();
        if deeds.is_empty() {
            return Vec::new();
        }
        self.to_log = steps.contains(&Step::Send);
        let ticket = shared.ticket();
        self.busy = Some(ticket);
        self.failed = None;
        let deed = Deed::GuideStep(Box::new(GuideDeed { steps: deeds }));
        vec![Effect::Act(ticket, Box::new(deed)).into()]
    }

    /// Ends in the log, following.
    fn log(&self) -> Commands {
        let function = self
            .script
            .as_ref()
            .map(|script| script.function.definition.name.clone());
        vec![
            Command::Close,
            Command::Go(Goto::new(PaneId::Logs, Focus::Function(function))),
        ]
    }

    /// The form of the next step, filled in.
    fn form(&self, shared: &Shared) -> Commands {
        let (Some(script), Some(step)) = (&self.script, self.next(shared)) else {
            return Vec::new();
        };
        let open = |form: Form| vec![Command::Open(Box::new(form))];
        match step {
            Step::Instance => open(prefilled(
                InstanceForm::add(shared),
                &[("name", &script.instance.definition.name)],
                shared,
            )),
            Step::Topic => open(prefilled(
                TopicForm::add(),
                &[("name", script.topic.definition.name.as_str())],
                shared,
            )),
            Step::Group => open(prefilled(
                GroupForm::add(shared),
                &[
                    ("name", script.group.definition.name.as_str()),
                    ("reads", script.topic.definition.name.as_str()),
                ],
                shared,
            )),
            Step::Function => {
                let definition = &script.function.definition;
                let code = definition.code.display().to_string();
                open(prefilled(
                    FunctionForm::add(),
                    &[
                        ("name", definition.name.as_str()),
                        ("code", &code),
                        ("handler", &definition.handler),
                    ],
                    shared,
                ))
            }
            Step::Trigger => {
                let definition = &script.trigger.definition;
                open(prefilled(
                    TriggerForm::add(shared),
                    &[
                        ("name", definition.name.as_str()),
                        ("topic", definition.topic.as_str()),
                        ("function", definition.function.as_str()),
                        ("group", definition.group.as_str()),
                    ],
                    shared,
                ))
            }
            Step::Send => {
                let topic = script.event.topic.clone();
                vec![Command::Open(Box::new(SendDialog::draft(
                    &script.event,
                    Some(topic),
                    shared,
                )))]
            }
        }
    }

    fn title(&self, step: Step) -> (&'static str, String) {
        let Some(script) = &self.script else {
            return ("", String::new());
        };
        match step {
            Step::Instance => ("Instance", script.instance.definition.name.clone()),
            Step::Topic => ("Topic", script.topic.definition.name.to_string()),
            Step::Group => ("Consumer group", script.group.definition.name.to_string()),
            Step::Function => (
                "Function",
                format!(
                    "{}   {}",
                    script.function.definition.name,
                    script.function.definition.runtime.as_str()
                ),
            ),
            Step::Trigger => (
                "Trigger",
                format!(
                    "{}   {} → {}",
                    script.trigger.definition.name,
                    script.trigger.definition.topic,
                    script.trigger.definition.function
                ),
            ),
            Step::Send => ("Send the order", "and watch the function's log".to_owned()),
        }
    }
}

fn prefilled(spec: impl FormSpec + 'static, values: &[(&str, &str)], shared: &Shared) -> Form {
    let mut form = Form::new(spec, shared);
    form.prefill(values, shared);
    form
}

impl Dialog for Guide {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Guide, Context::Motion, Context::Global]
    }

    fn act(&mut self, action: Action, shared: &mut Shared) -> Commands {
        match action {
            Action::GuideStep | Action::Open => self.run(false, shared),
            Action::GuideAll => self.run(true, shared),
            Action::GuideEdit => self.form(shared),
            Action::Back | Action::Close => vec![Command::Close],
            _ => Vec::new(),
        }
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        answer: &Result<Answer, Report>,
        _shared: &mut Shared,
    ) -> Commands {
        if self.asked.take_if(|asked| *asked == ticket).is_some() {
            match answer {
                Ok(Answer::Guide(script)) => self.script = Some(script.clone()),
                Ok(_) => {}
                Err(report) => self.failed = Some(report.clone()),
            }
        }
        Vec::new()
    }

    fn done(
        &mut self,
        ticket: Ticket,
        done: &Result<Done, Report>,
        shared: &mut Shared,
    ) -> Option<Commands> {
        self.busy.take_if(|busy| *busy == ticket)?;
        match done {
            Ok(_) if self.to_log => {
                self.sent = true;
                let mut commands = self.log();
                commands.push(Effect::Reload.into());
                crate::ui::update::tell_done(done, shared);
                Some(commands)
            }
            Ok(_) => Some(vec![Effect::Reload.into()]),
            Err(report) => {
                self.failed = Some(report.clone());
                Some(vec![Effect::Reload.into()])
            }
        }
    }

    fn click(&mut self, target: &Target, shared: &mut Shared) -> Commands {
        match target {
            Target::Item(at) if *at < STEPS.len() => self.run(false, shared),
            Target::Outside => vec![Command::Close],
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<(Action, &'static str)> {
        vec![
            (Action::GuideStep, "do this step"),
            (Action::GuideAll, "do all the rest"),
            (Action::GuideEdit, "form first"),
            (Action::Back, "close"),
        ]
    }

    fn draw(&self, shared: &Shared, canvas: &mut Canvas<'_>) {
        let done = STEPS
            .iter()
            .filter(|step| self.is_done(**step, shared))
            .count();
        let right = Line::muted(format!("{done} of {}", STEPS.len()));
        let inner = popup(
            canvas,
            78,
            22,
            Line::text("Build the order workflow"),
            right,
        );
        if inner.height < 6 {
            return;
        }
        let x = inner.x + 2;
        let room = inner.width.saturating_sub(4);
        let mut y = inner.y;
        if inner.height > 14 {
            let about = "An order goes in, a function runs, its log comes out: one key a row.";
            canvas.put(x, y + 1, room, about, Token::Muted);
            y += 3;
        }
        let next = self.next(shared);
        for (index, step) in STEPS.iter().enumerate() {
            let row = Rect::new(inner.x, y, inner.width, 1);
            self.draw_step(canvas, row, index, *step, next == Some(*step), shared);
            y += 1;
        }
        self.draw_about(
            canvas,
            Rect::new(x, y + 1, room, inner.bottom().saturating_sub(y + 1)),
            next,
        );
    }
}

impl Guide {
    fn draw_step(
        &self,
        canvas: &mut Canvas<'_>,
        row: Rect,
        index: usize,
        step: Step,
        is_next: bool,
        shared: &Shared,
    ) {
        let (sign, word, token) = if self.is_done(step, shared) {
            ("✓", "done", Token::Ok)
        } else if is_next && self.busy.is_some() {
            ("◐", "working…", Token::Warn)
        } else if is_next {
            ("●", "next", Token::Accent)
        } else {
            ("○", "", Token::Muted)
        };
        let (title, what) = self.title(step);
        let paint = if is_next {
            Paint::new(Token::Title)
        } else {
            Paint::new(Token::Text)
        };
        let line = Line::of(format!("{sign} "), token)
            .put(format!("{} {title:<16}", index + 1), paint)
            .then(what);
        canvas.line(row.x + 2, row.y, row.width.saturating_sub(14), &line);
        canvas.line_right(row.right() - 2, row.y, 10, &Line::of(word, token));
        canvas.hit(row, Target::Item(index));
        if is_next {
            canvas.put(row.x, row.y, 1, ">", Paint::new(Token::Accent).bold());
        }
    }

    /// What the next step makes: its code or its event.
    fn draw_about(&self, canvas: &mut Canvas<'_>, area: Rect, next: Option<Step>) {
        let lines: Vec<Line> = match (&self.failed, &self.script, next) {
            (Some(report), _, _) => {
                let (text, hint) = crate::ui::state::feed::Notice::of_report(report);
                let mut lines: Vec<Line> =
                    safe::wrap(&format!("✖ {text}"), usize::from(area.width))
                        .into_iter()
                        .map(|part| Line::of(part.to_owned(), Token::Error))
                        .collect();
                lines.extend(hint.map(Line::muted));
                lines
            }
            (None, None, _) => vec![Line::muted("reading…")],
            (None, Some(script), Some(Step::Function)) => {
                let code = script.code.lines().map(|line| Line::muted(line.to_owned()));
                code.collect()
            }
            (None, Some(script), Some(Step::Send)) => {
                let text = safe::decode(&script.event.body).into_owned();
                text.lines().map(json::paint_line).collect()
            }
            (None, Some(_), None) => vec![Line::of(
                "All is built. Enter shows the log; s sends another message.",
                Token::Ok,
            )],
            _ => Vec::new(),
        };
        for (offset, line) in lines.iter().take(usize::from(area.height)).enumerate() {
            let y = area.y + u16::try_from(offset).unwrap_or(0);
            canvas.line(area.x, y, area.width, line);
        }
    }
}
