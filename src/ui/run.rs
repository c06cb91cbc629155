//! The loop: waits for one event, takes in what else is ready, starts what it leads to, draws once if something changed.
//!
//! It has a thread and a runtime of its own, so that no load elsewhere delays a key. Effects run on the caller's runtime.

mod panics;
mod reading;

use std::collections::VecDeque;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::EventStream;
use futures_util::StreamExt as _;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::clock::RealClock;
use crate::control::Control;
use crate::control::clock::ClockState;
use crate::domain::timestamp::Timestamp;
use crate::ui::effect::{Done, EditText, Effect, QuitMode, SendReport, Ticket};
use crate::ui::engine::{Engine, plain};
use crate::ui::event::{Event, Moment};
use crate::ui::input::{coalesce, translate};
use crate::ui::options::{ConsoleOptions, Ended, UiError};
use crate::ui::outside;
use crate::ui::run::panics::{PanicHook, told};
use crate::ui::run::reading::read_on;
use crate::ui::state::State;
use crate::ui::state::overview::Overview;
use crate::ui::terminal::{Term, copy_sequence, restore};
use crate::ui::update::update;

/// Events taken in before a frame is drawn.
const BURST: usize = 64;
/// Answers that wait to be taken in; those who bring more wait themselves.
const QUEUE: usize = 256;
/// Least time between frames that answer a key.
const KEY_FRAME: Duration = Duration::from_millis(8);
/// Least time between frames that show news, here and over a slow line.
const NEWS_FRAME: Duration = Duration::from_millis(33);
const SLOW_NEWS_FRAME: Duration = Duration::from_millis(100);
/// Likewise while nobody looks at the window.
const UNSEEN_FRAME: Duration = Duration::from_millis(500);
/// Longest text a terminal is asked to copy, encoded.
const MOST_COPIED: usize = 74_994;

/// Opens the console on a terminal and returns when it ends. The terminal is as before, whatever happens.
pub async fn run(control: Control, options: ConsoleOptions) -> Result<Ended, UiError> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(UiError::NotATerminal);
    }
    let handle = Handle::current();
    let (sender, ended) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("console".to_owned())
        .spawn(move || {
            let _ = sender.send(on_own_thread(control, options, handle));
        })
        .map_err(UiError::Thread)?;
    match ended.await {
        Ok(result) => result,
        Err(_) => Err(UiError::Panicked("its thread ended early".to_owned())),
    }
}

fn on_own_thread(
    control: Control,
    options: ConsoleOptions,
    handle: Handle,
) -> Result<Ended, UiError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(UiError::Thread)?;
    let term = Term::enter(options.mouse).map_err(UiError::Terminal)?;
    let entered = term.entered();
    let (sender, events) = mpsc::channel(QUEUE);
    let hook = PanicHook::install(entered.clone(), sender.clone());
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on(Console::new(control, options, handle, term, sender, events)?.run())
    }));
    drop(hook);
    let _ = restore(&entered);
    match result {
        Ok(result) => result,
        Err(panic) => Err(UiError::Panicked(told(&*panic))),
    }
}

/// Broker time between two readings of it.
struct BrokerTime {
    state: Option<ClockState>,
    read_at: Instant,
}

impl BrokerTime {
    fn now(&self, real: Instant) -> Timestamp {
        match &self.state {
            None => Timestamp::EPOCH,
            Some(clock) if clock.held => clock.now,
            Some(clock) => clock.now + real.saturating_duration_since(self.read_at),
        }
    }
}

struct Console {
    state: State,
    engine: Arc<Engine>,
    handle: Handle,
    term: Term,
    input: Option<EventStream>,
    sender: mpsc::Sender<Event>,
    events: mpsc::Receiver<Event>,
    overviews: watch::Receiver<Arc<Overview>>,
    /// Bumped to read the engine again now.
    nudge: watch::Sender<u64>,
    log_head: watch::Receiver<u64>,
    clock: RealClock,
    started: Instant,
    time: BrokerTime,
    drawn_at: Instant,
    /// The person did something that the screen does not show yet.
    owes_answer: bool,
    options: ConsoleOptions,
    ended: Option<Ended>,
}

impl Console {
    fn new(
        control: Control,
        options: ConsoleOptions,
        handle: Handle,
        term: Term,
        sender: mpsc::Sender<Event>,
        events: mpsc::Receiver<Event>,
    ) -> Result<Self, UiError> {
        let clock = RealClock::system();
        let size = crossterm::terminal::size().map_err(UiError::Terminal)?;
        let mut state = State::new(&options, size);
        outside::recall(&options, &mut state.shared);
        let log_head = control.logs.latest();
        let engine = Arc::new(Engine::new(control, &options, clock.clone()));
        let nudge = watch::Sender::new(0);
        let started = clock.now();
        let overviews = read_on(&handle, &engine, &nudge, &sender, started);
        Ok(Self {
            state,
            engine,
            handle,
            term,
            input: Some(EventStream::new()),
            sender,
            events,
            overviews,
            nudge,
            log_head,
            time: BrokerTime {
                state: None,
                read_at: started,
            },
            drawn_at: started,
            owes_answer: false,
            started,
            clock,
            options,
            ended: None,
        })
    }

    async fn run(mut self) -> Result<Ended, UiError> {
        let mut terminate = signal(SignalKind::terminate()).map_err(UiError::Terminal)?;
        let mut hang_up = signal(SignalKind::hangup()).map_err(UiError::Terminal)?;
        let mut go_on = signal(SignalKind::from_raw(libc_sigcont())).map_err(UiError::Terminal)?;
        self.draw()?;
        while self.ended.is_none() {
            let mut from_person = Vec::new();
            let due = self.next_frame();
            tokio::select! {
                biased;
                raw = next_input(&mut self.input) => match raw {
                    Some(Ok(raw)) => from_person.extend(translate(raw)),
                    Some(Err(_)) | None => self.ended = Some(Ended::Signal),
                },
                _ = terminate.recv() => self.ended = Some(Ended::Signal),
                _ = hang_up.recv() => self.ended = Some(Ended::Signal),
                _ = go_on.recv() => self.repaint()?,
                Some(event) = self.events.recv() => self.take(event)?,
                Ok(()) = self.overviews.changed() => self.take_overview()?,
                Ok(()) = self.log_head.changed() => {
                    let head = *self.log_head.borrow_and_update();
                    self.take(Event::LogHead(head))?;
                }
                () = self.clock.sleep_until(due) => {}
            }
            self.drain(&mut from_person).await;
            self.owes_answer |= !from_person.is_empty();
            self.tick()?;
            for event in coalesce(from_person) {
                self.take(event)?;
            }
            if self.state.dirty && self.clock.now() >= self.next_frame() {
                self.draw()?;
            }
        }
        self.term.leave().map_err(UiError::Terminal)?;
        Ok(self.ended.unwrap_or(Ended::Signal))
    }

    /// Input that is ready now, and events beside it, up to a burst.
    async fn drain(&mut self, from_person: &mut Vec<Event>) {
        for _ in 0..BURST {
            match ready_input(&mut self.input).await {
                Some(Ok(raw)) => from_person.extend(translate(raw)),
                _ => break,
            }
        }
        for _ in 0..BURST {
            match self.events.try_recv() {
                Ok(event) => {
                    if self.take(event).is_err() {
                        self.ended = Some(Ended::Signal);
                    }
                }
                Err(_) => break,
            }
        }
    }

    fn news_frame(&self) -> Duration {
        if !self.state.shared.focused {
            UNSEEN_FRAME
        } else if self.options.remote_terminal {
            SLOW_NEWS_FRAME
        } else {
            NEWS_FRAME
        }
    }

    /// When to wake at the latest: the next frame that is owed, or the next second.
    fn next_frame(&self) -> Instant {
        let now = self.clock.now();
        if self.state.dirty {
            let least = if self.owes_answer {
                KEY_FRAME
            } else {
                self.news_frame()
            };
            return self.drawn_at + least;
        }
        if !self.state.pending.is_empty() {
            return now + Duration::from_millis(100);
        }
        let past = self.time.now(now).as_millis().rem_euclid(1000);
        now + Duration::from_millis(u64::try_from(1001 - past).unwrap_or(1000))
    }

    fn moment(&self) -> Moment {
        let now = self.clock.now();
        Moment {
            uptime: now.saturating_duration_since(self.started),
            now: self.time.now(now),
        }
    }

    fn tick(&mut self) -> Result<(), UiError> {
        let moment = self.moment();
        self.take(Event::Tick(moment))
    }

    fn take_overview(&mut self) -> Result<(), UiError> {
        let overview = self.overviews.borrow_and_update().clone();
        if overview.clock.is_some() {
            self.time = BrokerTime {
                state: overview.clock.clone(),
                read_at: self.started + overview.at,
            };
        }
        self.tick()?;
        self.take(Event::Overview(overview))
    }

    /// Takes an event in and starts what it leads to.
    fn take(&mut self, event: Event) -> Result<(), UiError> {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for effect in update(&mut self.state, event) {
                events.extend(self.start(effect).map_err(UiError::Terminal)?);
            }
        }
        Ok(())
    }

    fn draw(&mut self) -> Result<(), UiError> {
        self.drawn_at = self.clock.now();
        self.owes_answer = false;
        self.term.draw(&mut self.state).map_err(UiError::Terminal)
    }

    fn repaint(&mut self) -> Result<(), UiError> {
        self.term.repaint().map_err(UiError::Terminal)?;
        self.draw()
    }

    /// What is done at once comes back as an event; the rest comes later.
    fn start(&mut self, effect: Effect) -> io::Result<Option<Event>> {
        match effect {
            Effect::Query(ticket, query) => {
                let engine = self.engine.clone();
                self.spawn(async move { Event::Answer(ticket, engine.answer(query).await) });
            }
            Effect::Act(ticket, deed) => {
                let engine = self.engine.clone();
                let sender = self.sender.clone();
                let nudge = self.nudge.clone();
                self.spawn(async move {
                    let progress = move |report: SendReport| {
                        // Where there is no room, the next report tells more.
                        let _ = sender.try_send(Event::Done(ticket, Ok(Done::Sent(report))));
                    };
                    let done = engine.act(*deed, &progress).await;
                    nudge.send_modify(|count| *count += 1);
                    Event::Done(ticket, done)
                });
            }
            Effect::Save(ticket, file) => {
                let engine = self.engine.clone();
                self.spawn(async move { Event::Done(ticket, engine.save(file).await) });
            }
            Effect::Use(id) => {
                self.engine.use_instance(id);
                self.nudge.send_modify(|count| *count += 1);
            }
            Effect::Reload => self.nudge.send_modify(|count| *count += 1),
            Effect::StopSending => self.engine.stop_sending(),
            Effect::Copy(text) => return self.copy(&text).map(Some),
            Effect::Remember(name, text) => {
                outside::remember(&self.handle, &self.options, name, text);
            }
            Effect::Edit(ticket, what) => return self.edit(ticket, what).map(Some),
            Effect::PlainPage(text) => {
                self.outside(|| outside::show_page(&text))?;
            }
            Effect::Suspend => self.outside(outside::stop_process)?,
            Effect::Repaint => self.term.repaint()?,
            Effect::Mouse(on) => self.term.set_mouse(on)?,
            Effect::Quit(mode) => {
                self.ended = Some(match mode {
                    QuitMode::Drain => Ended::Drain,
                    QuitMode::Now => Ended::Now,
                    QuitMode::Leave => Ended::Leave,
                });
            }
        }
        Ok(None)
    }

    fn spawn(&self, work: impl Future<Output = Event> + Send + 'static) {
        let sender = self.sender.clone();
        self.handle.spawn(async move {
            let _ = sender.send(work.await).await;
        });
    }

    /// Leaves the screen, does something with the terminal, and comes back.
    fn outside<T>(&mut self, what: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        // The stream would take the other program's keys.
        self.input = None;
        self.term.leave()?;
        let result = what();
        self.term.resume()?;
        self.input = Some(EventStream::new());
        self.state.dirty = true;
        result
    }

    fn edit(&mut self, ticket: Ticket, what: EditText) -> io::Result<Event> {
        let editor = self.options.editor.clone();
        let result = self.outside(|| Ok(outside::edit(&editor, what)))?;
        let done = result.map(Done::Edited).map_err(plain);
        Ok(Event::Done(ticket, done))
    }

    /// By the terminal first; a text too long for that goes to a helper program, or to a file.
    fn copy(&mut self, text: &str) -> io::Result<Event> {
        let bytes = text.len();
        let ticket = self.state.shared.ticket();
        let encoded = bytes.div_ceil(3) * 4;
        let done = if encoded <= MOST_COPIED {
            let sequence = copy_sequence(text, self.options.multiplexer);
            self.term.send(&sequence)?;
            Ok(Done::Copied {
                bytes,
                how: "the terminal",
            })
        } else {
            outside::copy_by_helper(&self.options.clipboards, text)
                .map(|()| Done::Copied {
                    bytes,
                    how: "a helper program",
                })
                .map_err(plain)
        };
        Ok(Event::Done(ticket, done))
    }
}

/// Continued after a stop by somebody else.
fn libc_sigcont() -> i32 {
    nix::sys::signal::Signal::SIGCONT as i32
}

async fn next_input(
    input: &mut Option<EventStream>,
) -> Option<io::Result<crossterm::event::Event>> {
    match input {
        Some(stream) => stream.next().await,
        None => std::future::pending().await,
    }
}

/// Input that is there already. The stream is asked with this task's own waker: it keeps the first one it is given, and
/// one that wakes nobody would leave the next key lying until the next tick.
async fn ready_input(
    input: &mut Option<EventStream>,
) -> Option<io::Result<crossterm::event::Event>> {
    tokio::select! {
        biased;
        raw = next_input(input) => raw,
        () = std::future::ready(()) => None,
    }
}
