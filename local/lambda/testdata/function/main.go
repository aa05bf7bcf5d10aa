// A function to try the runtime with: the payload says what it does.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

type request struct {
	Do   string
	Text string
}

func main() {
	if os.Getenv("FAIL") != "" {
		fmt.Fprintln(os.Stderr, "nothing works:", os.Getenv("FAIL"))
		os.Exit(3)
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, r request) (string, error) {
	fmt.Println("doing", r.Do)
	switch r.Do {
	case "exit":
		os.Exit(7)
	case "panic":
		panic("as asked")
	case "fail":
		return "", errors.New(r.Text)
	case "sleep":
		d, _ := time.ParseDuration(r.Text)
		time.Sleep(d)
	case "env":
		return os.Getenv(r.Text), nil
	case "environ":
		return strings.Join(os.Environ(), "\n"), nil
	case "pid":
		return fmt.Sprint(os.Getpid()), nil
	case "large":
		return strings.Repeat("x", 7<<20), nil
	case "deadline":
		at, _ := ctx.Deadline()
		return time.Until(at).Round(time.Second).String(), nil
	}
	return r.Text, nil
}
