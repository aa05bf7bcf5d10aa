package lambda

import "syscall"

// processAttributes has the kernel end a function when we are ended, even by
// kill -9, and keeps the terminal's Ctrl-C from it: we end it ourselves.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
