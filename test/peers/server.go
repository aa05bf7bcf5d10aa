package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// newPeers are the servers, each at a port of its own.
func newPeers() ([]peer, error) {
	var hosts []string
	for range 4 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // together, so that no two are the same
		hosts = append(hosts, l.Addr().String())
	}
	return []peer{&stripe{server{hosts[0]}}, &kinto{server: server{hosts[1]}}, &links{server{hosts[2]}}, &isso{server{hosts[3]}}}, nil
}

// A server is where a peer listens.
type server struct{ host string }

func (s server) port() string {
	_, port, _ := net.SplitHostPort(s.host)
	return port
}

// start starts a peer and waits until it answers; stop ends it.
func start(ctx context.Context, p peer, installed, dir string) (stop func(), err error) {
	own := filepath.Join(dir, p.name())
	if err := os.Mkdir(own, 0o700); err != nil {
		return nil, err
	}
	command, err := p.command(installed, own)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(own, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c := exec.Command(command[0], command[1:]...)
	c.Dir, c.Stdout, c.Stderr = own, log, log
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name(), err)
	}
	stop = func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	for range 300 {
		if p.ready(ctx) {
			return stop, nil
		}
		pause(ctx, 200*time.Millisecond)
	}
	stop()
	said, _ := os.ReadFile(log.Name())
	return nil, fmt.Errorf("%s does not answer:\n%s", p.name(), said)
}

// call makes a request and reads the JSON that it answers, unless into is nil.
func (s server) call(ctx context.Context, method, path, user, contentType string, body []byte, into any) error {
	answer, err := s.fetch(ctx, method, path, user, contentType, body)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

func (s server) fetch(ctx context.Context, method, path, user, contentType string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.host+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	if user != "" {
		req.SetBasicAuth(user, map[string]string{kintoUser: kintoPassword}[user])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s answered %d: %.300s", method, path, res.StatusCode, answer)
	}
	return answer, err
}
