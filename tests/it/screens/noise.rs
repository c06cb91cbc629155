//! Text and bytes that break screens.

use fastrand::Rng;

/// Characters that break screens: controls, bidi and zero-width ones, wide ones, emoji, piles of marks.
const NASTY: &[&str] = &[
    "\u{1b}[31m",
    "\u{1b}]0;t\u{7}",
    "\u{9b}2J",
    "\0",
    "\t",
    "\r",
    "\n",
    "\u{7f}",
    "\u{202e}",
    "\u{200d}",
    "\u{fe0f}",
    "\u{feff}",
    "中",
    "한",
    "ﷺ",
    "👩‍👩‍👧",
    "🇩🇪",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "שלום",
    "{",
    "\"",
    "…",
    "a",
    "Z",
    " ",
    "0",
];

/// Fewer than `most` of them.
pub(super) fn nasty(rng: &mut Rng, most: usize) -> String {
    (0..rng.usize(0..most))
        .map(|_| NASTY[rng.usize(0..NASTY.len())])
        .collect()
}

/// Fewer than `most` bytes of any value.
pub(super) fn bytes(rng: &mut Rng, most: usize) -> Vec<u8> {
    (0..rng.usize(0..most)).map(|_| rng.u8(..)).collect()
}

/// Text out of random bytes, or out of the characters that break screens.
pub(super) fn text(rng: &mut Rng, most: usize) -> String {
    if rng.bool() {
        nasty(rng, most)
    } else {
        bytes(rng, most).into_iter().map(char::from).collect()
    }
}
