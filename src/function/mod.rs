//! The function host: runtimes, instances, limits and logs. It knows neither topics nor the screen.
