//! Panics of closures: caught, located, and kept away from whatever hook the program has set.

use std::any::Any;
use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use crate::function::runtime::closure::FunctionError;

/// Whether closure code runs on a thread.
enum Fence {
    Down,
    Up,
    /// It panicked here.
    Hit(String),
}

thread_local! {
    static FENCE: RefCell<Fence> = const { RefCell::new(Fence::Down) };
}

/// Wraps the present panic hook: a panic inside a closure is noted, any other goes on to the hook that was set before.
///
/// A program that sets a hook of its own, such as one that restores the terminal, calls this afterwards.
pub fn fence_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let up = FENCE.with_borrow(|fence| !matches!(fence, Fence::Down));
        match (up, panic.location()) {
            (true, Some(place)) => FENCE.set(Fence::Hit(place.to_string())),
            (true, None) => {}
            (false, _) => before(panic),
        }
    }));
}

/// Runs `code`; a panic becomes an error of type `panic` (RS-4).
pub(crate) fn fenced<T>(code: impl FnOnce() -> T) -> Result<T, FunctionError> {
    let outer = FENCE.replace(Fence::Up);
    let caught = catch_unwind(AssertUnwindSafe(code));
    let stack_trace = match FENCE.replace(outer) {
        Fence::Hit(place) => vec![place],
        Fence::Up | Fence::Down => Vec::new(),
    };
    caught.map_err(|panic| FunctionError {
        message: panic_text(panic.as_ref()),
        error_type: "panic".to_owned(),
        stack_trace,
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "panicked with a value that is not text".to_owned())
}

/// A future each of whose steps is fenced.
pub(crate) struct Fenced<F>(Pin<Box<F>>);

impl<F: Future> Fenced<F> {
    pub(crate) fn new(future: F) -> Self {
        Self(Box::pin(future))
    }
}

impl<F: Future> Future for Fenced<F> {
    type Output = Result<F::Output, FunctionError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match fenced(|| self.0.as_mut().poll(context)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_place_rs4() {
        fence_panics();
        let error = fenced(|| panic!("no {}", "stock")).unwrap_err();
        assert_eq!(error.error_type, "panic");
        assert_eq!(error.message, "no stock");
        assert!(error.stack_trace[0].contains("fence.rs"));
    }

    #[tokio::test]
    async fn a_future_may_panic_in_any_step_rs4() {
        let error = Fenced::new(async {
            tokio::task::yield_now().await;
            panic!("late");
        })
        .await
        .unwrap_err();
        assert_eq!(error.message, "late");
    }
}
