package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// A Child is one function process of a running stack.
type Child struct {
	PID     int
	Command string
}

// Children are the function processes of the stack, by what ps says.
func (s *Stack) Children(ctx context.Context) ([]Child, error) {
	out, err := exec.CommandContext(ctx, "ps", "-A", "-o", "pid=,ppid=,args=").Output()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var children []Child
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[1] != strconv.Itoa(s.PID()) {
			continue
		}
		if pid, err := strconv.Atoi(fields[0]); err == nil {
			children = append(children, Child{pid, fields[2]})
		}
	}
	return children, nil
}

// KillChild kills one function process as kill -9 does.
func KillChild(c Child) error {
	p, err := os.FindProcess(c.PID)
	if err != nil {
		return err
	}
	return p.Kill()
}
