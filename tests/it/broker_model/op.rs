//! The steps that a broker's life is made of.

use proptest::prelude::*;

/// One step. Numbers named `which` pick one of the things there are at that moment.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Send(Kind),
    Receive {
        of: usize,
        topic: usize,
        max: usize,
    },
    Ack {
        which: usize,
    },
    /// An ack by a handle that is void: it must settle nothing.
    AckLate {
        which: usize,
    },
    Nack {
        which: usize,
        seconds: u64,
    },
    Extend {
        which: usize,
        seconds: u64,
    },
    EndHalf {
        which: usize,
        commit: bool,
    },
    Recall {
        which: usize,
    },
    /// Lets leases run out, retries and delays come, checks be made.
    Step {
        seconds: u64,
    },
    /// Lets retention take what is stored now.
    Outlive,
    Reset {
        of: usize,
        topic: usize,
        latest: bool,
    },
    Roll,
    Restart,
    /// Begins some calls and dies before their answers; of what was appended so many pieces reached the disk.
    Crash {
        kept: usize,
        begun: Vec<Begun>,
    },
}

/// A message, by what makes its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    /// Of one of three message groups, on the MIXED or on the FIFO topic.
    Fifo {
        topic: usize,
        of: u8,
    },
    Delay {
        seconds: u64,
    },
    Half,
}

/// A call whose answer a crash takes.
#[derive(Debug, Clone)]
pub(super) enum Begun {
    Send(Kind),
    Ack { which: usize },
    Nack { which: usize, seconds: u64 },
    EndHalf { which: usize, commit: bool },
    Recall { which: usize },
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let which = any::<usize>;
    prop_oneof![
        8 => kind().prop_map(Op::Send),
        8 => (0..3_usize, 0..2_usize, 1..5_usize)
            .prop_map(|(of, topic, max)| Op::Receive { of, topic, max }),
        6 => which().prop_map(|which| Op::Ack { which }),
        1 => which().prop_map(|which| Op::AckLate { which }),
        3 => (which(), 0..40_u64).prop_map(|(which, seconds)| Op::Nack { which, seconds }),
        1 => (which(), 10..90_u64).prop_map(|(which, seconds)| Op::Extend { which, seconds }),
        2 => (which(), any::<bool>()).prop_map(|(which, commit)| Op::EndHalf { which, commit }),
        1 => which().prop_map(|which| Op::Recall { which }),
        3 => (1..80_u64).prop_map(|seconds| Op::Step { seconds }),
        1 => Just(Op::Outlive),
        1 => (0..3_usize, 0..2_usize, any::<bool>())
            .prop_map(|(of, topic, latest)| Op::Reset { of, topic, latest }),
        1 => Just(Op::Roll),
        1 => Just(Op::Restart),
        2 => (0..6_usize, proptest::collection::vec(begun(), 0..4))
            .prop_map(|(kept, begun)| Op::Crash { kept, begun }),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => Just(Kind::Normal),
        4 => (0..2_usize, 0..3_u8).prop_map(|(topic, of)| Kind::Fifo { topic, of }),
        2 => (1..90_u64).prop_map(|seconds| Kind::Delay { seconds }),
        2 => Just(Kind::Half),
    ]
}

fn begun() -> impl Strategy<Value = Begun> {
    let which = any::<usize>;
    prop_oneof![
        kind().prop_map(Begun::Send),
        which().prop_map(|which| Begun::Ack { which }),
        (which(), 0..40_u64).prop_map(|(which, seconds)| Begun::Nack { which, seconds }),
        (which(), any::<bool>()).prop_map(|(which, commit)| Begun::EndHalf { which, commit }),
        which().prop_map(|which| Begun::Recall { which }),
    ]
}
