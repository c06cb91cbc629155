//! The embedded broker: RocketMQ's rules over a journal. `State::apply` is the only code that changes delivery state, live and on replay.
