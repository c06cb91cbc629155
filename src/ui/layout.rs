//! Where the zones of the screen are, by its size.
//!
//! ```text
//! status line        instance, counters, clock (two lines when wide)
//! place bar          nine places (a tree at the left when wide)
//! body               list and detail, side by side or one above the other
//! notice line        the latest notice
//! hint lines         keys that work now
//! ```

use ratatui::layout::Rect;

use crate::ui::pane::{Half, Halves, Room};

/// Size classes; what each gives up first is written at its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Under 60 x 15: one line says so.
    Tiny,
    /// 60-99 columns: one pane.
    Narrow,
    /// 100-159 columns: list and detail.
    Medium,
    /// 160 columns and up: tree, list and detail.
    Wide,
}

/// Smallest screen with panes.
pub const MIN_COLUMNS: u16 = 60;
pub const MIN_ROWS: u16 = 15;

/// Columns of the tree.
const TREE: u16 = 27;
/// Fewest columns of a list beside a detail.
const LIST_MIN: u16 = 56;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zones {
    pub class: Class,
    pub status: Rect,
    pub places: Option<Rect>,
    pub tree: Option<Rect>,
    pub body: Rect,
    /// The live log and the chart below the body, on tall wide screens.
    pub strip: Option<(Rect, Rect)>,
    pub notice: Option<Rect>,
    pub hints: Rect,
}

impl Zones {
    /// The zones of a screen; `plain` has one pane whatever the width.
    pub fn of(screen: Rect, plain: bool, zoomed: bool) -> Self {
        let class = class(screen, plain);
        let rows = screen.height;
        let two_status = class == Class::Wide && rows >= 30;
        let has_places = rows >= 20 && class != Class::Wide;
        let has_notice = rows >= 17;
        let two_hints = rows >= 24;
        let mut y = screen.y;
        let mut take = |height: u16| {
            let area = Rect {
                y,
                height,
                ..screen
            };
            y += height;
            area
        };
        let status = take(1 + u16::from(two_status));
        let places = has_places.then(|| take(1));
        let foot = u16::from(has_notice) + 1 + u16::from(two_hints);
        let used = status.height + u16::from(has_places);
        let mut body = take(rows.saturating_sub(used + foot));
        let notice = has_notice.then(|| take(1));
        let hints = take(1 + u16::from(two_hints));
        let mut tree = None;
        let mut strip = None;
        if class == Class::Wide && !zoomed {
            tree = Some(Rect {
                width: TREE,
                ..body
            });
            body.x += TREE;
            body.width -= TREE;
            if rows > 45 {
                let height = (body.height / 3).clamp(12, 22);
                let low = Rect {
                    y: body.bottom() - height,
                    height,
                    ..body
                };
                body.height -= height;
                let chart = detail_width(low.width);
                strip = Some((
                    Rect {
                        width: low.width - chart,
                        ..low
                    },
                    Rect {
                        x: low.right() - chart,
                        width: chart,
                        ..low
                    },
                ));
            }
        }
        Self {
            class,
            status,
            places,
            tree,
            body,
            strip,
            notice,
            hints,
        }
    }

    /// The room of the current pane's halves.
    pub fn room(&self, halves: &Halves, zoomed: bool) -> Room {
        let body = self.body;
        let on_detail = halves.focus == Half::Detail;
        let one = Room {
            list: (!on_detail).then_some(body),
            detail: on_detail.then_some(body),
            joined: false,
            focus: true,
        };
        if zoomed {
            return one;
        }
        match self.class {
            Class::Tiny => Room::default(),
            Class::Narrow if on_detail || halves.detail_hidden || body.height < 14 => one,
            Class::Narrow => joined(body),
            _ if halves.detail_hidden => Room {
                list: Some(body),
                detail: None,
                joined: false,
                focus: true,
            },
            Class::Medium if body.height > 36 && body.width < 120 => stacked(body),
            _ => beside(body),
        }
    }
}

fn class(screen: Rect, plain: bool) -> Class {
    if screen.width < MIN_COLUMNS || screen.height < MIN_ROWS {
        Class::Tiny
    } else if plain || screen.width < 100 {
        Class::Narrow
    } else if screen.width < 160 || screen.height < 20 {
        Class::Medium
    } else {
        Class::Wide
    }
}

fn detail_width(width: u16) -> u16 {
    (width * 2 / 5)
        .clamp(40, 78)
        .min(width.saturating_sub(LIST_MIN))
}

fn beside(body: Rect) -> Room {
    let detail = detail_width(body.width);
    Room {
        list: Some(Rect {
            width: body.width - detail,
            ..body
        }),
        detail: Some(Rect {
            x: body.right() - detail,
            width: detail,
            ..body
        }),
        joined: false,
        focus: true,
    }
}

fn stacked(body: Rect) -> Room {
    let height = body.height * 2 / 5;
    Room {
        list: Some(Rect {
            height: body.height - height,
            ..body
        }),
        detail: Some(Rect {
            y: body.bottom() - height,
            height,
            ..body
        }),
        joined: false,
        focus: true,
    }
}

/// One frame: the list, a rule, the summary.
fn joined(body: Rect) -> Room {
    let inside = body.height - 2;
    let height = (inside / 2).clamp(4, 10);
    Room {
        list: Some(body),
        detail: Some(Rect {
            x: body.x + 1,
            y: body.bottom() - 1 - height,
            width: body.width - 2,
            height,
        }),
        joined: true,
        focus: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_cover_the_screen_and_never_overlap() {
        for (width, height) in [
            (60, 15),
            (80, 24),
            (99, 50),
            (100, 42),
            (120, 35),
            (160, 20),
            (200, 60),
        ] {
            let screen = Rect::new(0, 0, width, height);
            for zoomed in [false, true] {
                let zones = Zones::of(screen, false, zoomed);
                let rows = zones.status.height
                    + zones.places.map_or(0, |r| r.height)
                    + zones.body.height
                    + zones.strip.map_or(0, |(r, _)| r.height)
                    + zones.notice.map_or(0, |r| r.height)
                    + zones.hints.height;
                assert_eq!(rows, height, "{width}x{height}");
                assert!(zones.body.height >= 8, "{width}x{height}");
                assert_eq!(zones.hints.bottom(), height);
                let room = zones.room(&Halves::default(), zoomed);
                if let (Some(list), Some(detail), false) = (room.list, room.detail, room.joined) {
                    assert!(!list.intersects(detail));
                    assert!(list.width >= LIST_MIN.min(width), "{width}x{height}");
                }
            }
        }
    }
}
