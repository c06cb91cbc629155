// A function on the vendor's SDK, as the tests of the runtime API run it: it logs its event, fails or panics when asked
// to, and says when it is initialised and when it goes.
package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
	"github.com/aliyun/fc-runtime-go-sdk/fccontext"
)

func logger(ctx context.Context) *fccontext.FcLogger {
	known, _ := fccontext.FromContext(ctx)
	return known.GetLogger()
}

func initialize(ctx context.Context) {
	logger(ctx).Info("ready")
}

func preStop(ctx context.Context) {
	logger(ctx).Info("going")
}

func handle(ctx context.Context, event json.RawMessage) (string, error) {
	logger(ctx).Info("===== MESSAGE RECEIVED =====")
	logger(ctx).Infof("Message Body: %s", event)
	switch string(event) {
	case `"fail"`:
		return "", errors.New("no stock")
	case `"panic"`:
		panic("no stock at all")
	}
	return "OK", nil
}

func main() {
	fc.RegisterInitializerFunction(initialize)
	fc.RegisterPreStopFunction(preStop)
	fc.Start(handle)
}
