//! The one registry of actions: it feeds key handling, hint line, help, palette, mouse menus and the printed key table.

use std::fmt;

/// Where a key means something. A pane or dialog has a chain of contexts; no chord occurs twice in a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    Global,
    Motion,
    List,
    Detail,
    Logs,
    Guide,
    /// Every form; its fields add [`Context::Text`], [`Context::Body`] or [`Context::Choice`].
    Form,
    /// A line of text.
    Text,
    /// Text of many lines.
    Body,
    /// A choice, a tick box or a button.
    Choice,
    /// A list to pick from while typing.
    Pick,
    Confirm,
    /// Text to read: help, events, a plain page.
    Page,
}

impl Context {
    pub const ALL: [Self; 13] = [
        Self::Global,
        Self::Motion,
        Self::List,
        Self::Detail,
        Self::Logs,
        Self::Guide,
        Self::Form,
        Self::Text,
        Self::Body,
        Self::Choice,
        Self::Pick,
        Self::Confirm,
        Self::Page,
    ];

    /// Its table in the key file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Motion => "motion",
            Self::List => "list",
            Self::Detail => "detail",
            Self::Logs => "logs",
            Self::Guide => "guide",
            Self::Form => "form",
            Self::Text => "text",
            Self::Body => "body",
            Self::Choice => "choice",
            Self::Pick => "pick",
            Self::Confirm => "confirm",
            Self::Page => "page",
        }
    }

    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|context| context.name() == name)
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Chains that are alive at once; the key table is checked against each.
pub const CHAINS: &[&[Context]] = &[
    &[Context::List, Context::Motion, Context::Global],
    &[Context::Detail, Context::Motion, Context::Global],
    &[Context::Logs, Context::Motion, Context::Global],
    &[Context::Guide, Context::Motion, Context::Global],
    &[Context::Text, Context::Form],
    &[Context::Body, Context::Form],
    &[Context::Choice, Context::Form],
    &[Context::Pick],
    &[Context::Confirm],
    &[Context::Page, Context::Motion],
];

/// What the registry says of an action.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    pub action: Action,
    /// Its name in the key file and in `moonport keys`.
    pub name: &'static str,
    /// One or two words for hints and buttons.
    pub label: &'static str,
    /// A short sentence for help and palette.
    pub help: &'static str,
    /// True when it changes something outside the screen; read-only consoles have no such action.
    pub changes: bool,
}

macro_rules! actions {
    ($($variant:ident $name:literal $label:literal $help:literal $($changes:ident)?;)*) => {
        /// Something the person can ask for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action { $($variant,)* }

        /// The registry, in the order in which help and key table show it.
        pub const SPECS: &[Spec] = &[$(Spec {
            action: Action::$variant,
            name: $name,
            label: $label,
            help: $help,
            changes: actions!(@ $($changes)?),
        },)*];
    };
    (@ changes) => { true };
    (@) => { false };
}

actions! {
    View1 "view.1" "instances" "go to Instances";
    View2 "view.2" "topics" "go to Topics";
    View3 "view.3" "groups" "go to consumer groups";
    View4 "view.4" "functions" "go to Functions";
    View5 "view.5" "triggers" "go to Triggers";
    View6 "view.6" "messages" "go to Messages";
    View7 "view.7" "logs" "go to Logs";
    View8 "view.8" "dead letters" "go to Dead letters";
    View9 "view.9" "traces" "go to Traces";
    ViewNext "view.next" "next list" "next list of this place, such as clients beside groups";
    PaneNext "pane.next" "next pane" "next pane";
    PanePrev "pane.prev" "previous pane" "previous pane";
    Back "back" "back" "close what is on top, then the filter, then the detail, then go back";
    Close "close" "close" "close this pane; at the first one ask to quit";
    Quit "quit" "quit" "quit, after saying what would stop";
    Suspend "suspend" "suspend" "stop the process and return to the shell";
    Palette "palette" "commands" "find a command, a place or a name";
    Help "help" "keys" "the keys that work here";
    HistoryBack "history.back" "back" "the place before";
    HistoryForward "history.forward" "forward" "the place after";
    HistoryLast "history.last" "last place" "swap with the last place";
    Zoom "zoom" "zoom" "give the pane the whole screen";
    Freeze "freeze" "freeze" "hold the screen still; reading goes on behind it";
    Time "time" "time format" "show times in UTC, in local time, or as an age";
    Chart "chart" "chart" "swap chart and table";
    Redraw "redraw" "repaint" "paint the screen again";
    Reload "reload" "reload" "read everything again";
    GoMessage "go.message" "message" "go to the message";
    GoTrace "go.trace" "trace" "go to the message's trace";
    GoLogs "go.logs" "logs" "go to the log";
    GoFunction "go.function" "function" "go to the function";
    GoTrigger "go.trigger" "trigger" "go to the trigger";
    GoGroup "go.group" "consumer group" "go to the consumer group";
    GoTopic "go.topic" "topic" "go to the topic";
    GoDead "go.dead" "dead letters" "go to the dead letters";
    GoInstance "go.instance" "instance" "go to the instance";
    CopyId "copy.id" "copy id" "copy the id or name";
    CopyBody "copy.body" "copy body" "copy the body";
    CopyJson "copy.json" "copy JSON" "copy the row as JSON";
    CopyCommand "copy.command" "copy as command" "copy the command that does the same";
    CopyLines "copy.lines" "plain page" "print the pane plain, to select it with the mouse";
    Down "move.down" "down" "next row";
    Up "move.up" "up" "row before";
    First "move.first" "first" "first row";
    Last "move.last" "last" "last row";
    HalfDown "move.half-down" "half page down" "half a page down";
    HalfUp "move.half-up" "half page up" "half a page up";
    PageDown "move.page-down" "page down" "a page down";
    PageUp "move.page-up" "page up" "a page up";
    Left "move.left" "left" "columns to the left";
    Right "move.right" "right" "columns to the right";
    Search "search" "filter" "filter a list, search a text";
    SearchNext "search.next" "next match" "next match";
    SearchPrev "search.prev" "match before" "match before";
    Open "open" "open" "open the row";
    Details "details" "details" "show or hide the detail pane";
    Mark "mark" "mark" "mark the row";
    MarkAll "mark.all" "invert marks" "mark what is not marked, and the reverse";
    MarkAlike "mark.alike" "mark alike" "mark all rows with the same error";
    Sort "sort" "sort" "choose the column to sort by; the same again reverses";
    Add "add" "add" "make a new one" changes;
    Edit "edit" "edit" "change the definition" changes;
    Send "send" "send" "send a message" changes;
    Invoke "invoke" "invoke" "run the function by hand" changes;
    Actions "actions" "actions" "all that can be done here";
    Resend "resend" "send again" "the send form filled in from this message" changes;
    Delete "delete" "delete" "delete, after asking" changes;
    Export "export" "export" "write the table to a file, as JSON or CSV";
    ResetOffset "group.reset" "reset offset" "move the group on its topic, after a preview" changes;
    PauseTrigger "trigger.pause" "pause" "stop taking messages" changes;
    ResumeTrigger "trigger.resume" "resume" "take messages again" changes;
    SkipBatch "trigger.skip" "skip batch" "give up the waiting batch: dead letter, go on" changes;
    RetryNow "trigger.retry-now" "retry now" "start the next attempt of waiting batches now" changes;
    RestartFunction "function.restart" "restart" "end idle instances; busy ones end after their request" changes;
    EditCode "function.code" "edit code" "open the code in $EDITOR" changes;
    Recall "message.recall" "recall" "take the delayed message back" changes;
    Commit "transaction.commit" "commit" "commit the half message" changes;
    Rollback "transaction.rollback" "roll back" "roll the half message back" changes;
    RedriveGroup "dead.to-group" "to its group" "put dead letters back into their group, attempts from 1" changes;
    RedriveTopic "dead.to-topic" "to its topic" "send dead letters to their topic as new messages" changes;
    FindMessages "message.find" "find" "find messages by time, key or id";
    SaveBody "message.save" "save body" "write the body to a file";
    UseInstance "instance.use" "use" "show this instance on all places";
    BodyForm "body.form" "body form" "body as JSON, text or hex";
    Wrap "wrap" "wrap" "wrap long lines";
    Fold "fold" "fold" "fold or unfold";
    Follow "log.follow" "follow" "stay at the newest line";
    OnlyMatches "log.only" "only matches" "hide lines that do not match";
    Level "log.level" "level" "lowest level shown";
    ByRequest "log.by-request" "by request" "group lines by request";
    PrevRequest "log.prev" "request before" "request before";
    NextRequest "log.next" "next request" "next request";
    NextError "log.error" "next error" "next error";
    MarkLine "log.mark" "mark" "mark the line";
    NextMark "log.next-mark" "next mark" "next mark";
    SaveLog "log.save" "save" "save the log to a file";
    HideUpToNow "log.hide" "hide up to now" "hide all lines so far";
    LogFunction "log.function" "function" "choose whose log is shown";
    GuideStep "guide.step" "do this step" "do the next step with its defaults" changes;
    GuideEdit "guide.edit" "form first" "open the step's form first" changes;
    GuideAll "guide.all" "do all" "do all the rest and end in the log" changes;
    Guide "guide" "guide" "the guide that builds the order workflow";
    Events "events" "notices" "all notices of this session";
    Filters "filter.bench" "try a filter" "try a tag or SQL expression over stored messages";
    ClockHold "clock.hold" "hold time" "hold broker time" changes;
    ClockResume "clock.resume" "resume time" "let broker time run again" changes;
    ClockStep "clock.step" "step time" "move broker time forward" changes;
    ClockNext "clock.next" "next due" "jump to the next thing that is due" changes;
    PickTheme "theme" "theme" "choose colours";
    Mouse "mouse" "mouse" "switch the mouse on or off";
    StopJob "stop" "stop sending" "stop the sending that runs in the background" changes;
    Submit "submit" "save" "send or save the form" changes;
    More "more" "more" "file, $EDITOR, format, hex";
    FieldNext "form.next" "next field" "next field";
    FieldPrev "form.prev" "field before" "field before";
    FormPrev "form.history-prev" "entry before" "entry before in the history";
    FormNext "form.history-next" "next entry" "next entry of the history";
    ChoicePrev "form.choice-prev" "choice before" "choice before";
    ChoiceNext "form.choice-next" "next choice" "next choice";
    Press "form.press" "press" "press the button, or next field";
    Dismiss "form.close" "close" "close without doing it";
    CharLeft "edit.left" "left" "character to the left";
    CharRight "edit.right" "right" "character to the right";
    WordLeft "edit.word-left" "word left" "word to the left";
    WordRight "edit.word-right" "word right" "word to the right";
    LineStart "edit.start" "start of line" "start of the line";
    LineEnd "edit.end" "end of line" "end of the line";
    LineUp "edit.up" "line up" "line up";
    LineDown "edit.down" "line down" "line down";
    TextPageUp "edit.page-up" "page up" "page up";
    TextPageDown "edit.page-down" "page down" "page down";
    NewLine "edit.newline" "new line" "new line";
    DeleteLeft "edit.delete-left" "delete" "delete to the left";
    DeleteRight "edit.delete-right" "delete right" "delete to the right";
    DeleteWord "edit.delete-word" "delete word" "delete the word to the left";
    KillStart "edit.kill-start" "kill to start" "delete to the start of the line";
    KillEnd "edit.kill-end" "kill to end" "delete to the end of the line";
    Yank "edit.yank" "yank" "put back what was deleted last";
    Undo "edit.undo" "undo" "undo";
    PickUp "pick.up" "up" "choice above";
    PickDown "pick.down" "down" "choice below";
    PickComplete "pick.complete" "complete" "complete to the choice";
    PickRun "pick.run" "run" "run the choice";
    AnswerPrev "answer.prev" "left" "button to the left";
    AnswerNext "answer.next" "right" "button to the right";
    AnswerPress "answer.press" "press" "press the focused button";
    AnswerYes "answer.yes" "yes" "yes";
    AnswerNo "answer.no" "no" "no";
    PageClose "page.close" "close" "close this page";
}

impl Action {
    pub fn spec(self) -> &'static Spec {
        // The registry has one entry per variant, in the order of the variants.
        &SPECS[self as usize]
    }

    pub fn name(self) -> &'static str {
        self.spec().name
    }

    pub fn label(self) -> &'static str {
        self.spec().label
    }

    pub fn by_name(name: &str) -> Option<Self> {
        SPECS
            .iter()
            .find(|spec| spec.name == name)
            .map(|spec| spec.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_answers_for_every_action_and_names_are_unique() {
        for spec in SPECS {
            assert_eq!(spec.action.spec().name, spec.name);
            assert_eq!(Action::by_name(spec.name), Some(spec.action));
        }
    }
}
