//go:build unix && !linux

package lambda

import "syscall"

// processAttributes keeps the terminal's Ctrl-C from a function: we end it
// ourselves. When we are ended, it finds the runtime API gone, and exits.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
