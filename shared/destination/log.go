package destination

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/telemetry"
)

var logKind = Kind{
	Name:        "log",
	Doc:         "Writes one structured line for each event to the processor's log, without its data unless payload is true.",
	Fields:      []string{"payload", "retry"},
	Idempotency: "A repetition is a second line with the same id.",
	Limits:      "CloudWatch Logs cuts a line at 1 MiB; a processor whose LOG_LEVEL is above INFO writes none.",
	open:        openLog,
}

type logger struct {
	log     *slog.Logger
	payload bool
}

func openLog(c config.Destination, env *Env) (Destination, error) {
	if env.log == nil {
		return nil, errors.New("kind: there is no log here to write to")
	}
	return &logger{env.log, c.Payload}, nil
}

// Deliver writes the line.
func (l *logger) Deliver(ctx context.Context, e event.Event) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, &Retryable{Err: err}
	}
	l.log.LogAttrs(ctx, slog.LevelInfo, "event", l.attributes(e)...)
	return Result{}, nil
}

func (l *logger) attributes(e event.Event) []slog.Attr {
	all := []slog.Attr{
		slog.String(telemetry.KeySource, e.Source), slog.String(telemetry.KeyIdentity, e.ID), slog.String(telemetry.KeyType, e.Type),
		slog.String("happened", stamp(e.Time)), slog.String(telemetry.KeyEntity, e.Subject), slog.String("version", e.Version),
		slog.String("transport", string(e.Transport)), slog.Int("bytes", len(e.Data)), slog.String(telemetry.KeyCorrelation, e.CorrelationID),
	}
	switch {
	case !l.payload:
	case event.ValidJSON(e.Data):
		all = append(all, slog.Any("data", json.RawMessage(e.Data)))
	default:
		all = append(all, slog.String("data_base64", base64.StdEncoding.EncodeToString(e.Data)))
	}
	return all
}
