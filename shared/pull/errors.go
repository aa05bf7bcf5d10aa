package pull

import (
	"errors"
	"fmt"

	"pushpull/shared/api"
)

// permanent is a failure that trying again does not heal.
func permanent(status int, format string, args ...any) error {
	return &api.Permanent{Status: status, Reason: fmt.Sprintf(format, args...)}
}

// errStopped ends a run whose reader asked for no more.
var errStopped = errors.New("the run was stopped")
