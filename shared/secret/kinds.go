package secret

import (
	"context"
	"errors"
	"fmt"
)

// kinds is every kind of reference, in the order of the docs. To add one: a file
// with its reader, and its line here.
func kinds(aws Caller, getenv func(string) string) []kind {
	return []kind{
		{prefix: "ssm:", read: parameters{aws}.read},
		{prefix: "secretsmanager:", read: secrets{aws}.read},
		{prefix: "env:", read: environment(getenv).read},
	}
}

// environment reads env:NAME, for development and tests.
type environment func(string) string

func (getenv environment) read(_ context.Context, names []string) []result {
	results := make([]result, len(names))
	for i, name := range names {
		results[i].value = getenv(name)
		if results[i].value == "" {
			results[i].err = fmt.Errorf("the environment variable is empty: set %s", name)
		}
	}
	return results
}

// fail returns the same error for each of n names.
func fail(n int, err error) []result {
	results := make([]result, n)
	for i := range results {
		results[i].err = err
	}
	return results
}

// errNoAWS is of a reference into AWS where there is no AWS client.
var errNoAWS = errors.New("there is no AWS client to read it with: set AWS_REGION and credentials")
