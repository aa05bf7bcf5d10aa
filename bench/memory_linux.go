package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// peakMemory returns the most memory that a running process has had, in bytes.
// What wait4 says of an ended one is no less than its parent's: a process shares
// its parent's memory until it becomes another program.
func peakMemory(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}
