//! The console: one state, events, effects. It sees the seams and nothing behind them.
