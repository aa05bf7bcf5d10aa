package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"pushpull/shared/awslite"
)

// maxParameters is how many parameters one GetParameters call may ask for.
const maxParameters = 10

// parameters reads ssm:/name from the Parameter Store of Systems Manager.
type parameters struct{ aws Caller }

type parameter struct {
	Name     string
	Selector string // :version or :label, where the name asked for one
	ARN      string
	Value    string
}

func (p parameters) read(ctx context.Context, names []string) []result {
	if p.aws == nil {
		return fail(len(names), errNoAWS)
	}
	if len(names) == 1 {
		return []result{p.one(ctx, names[0])}
	}
	results := make([]result, 0, len(names))
	for len(names) > 0 {
		n := min(maxParameters, len(names))
		results = append(results, p.several(ctx, names[:n])...)
		names = names[n:]
	}
	return results
}

func (p parameters) one(ctx context.Context, name string) result {
	in, err := json.Marshal(map[string]any{"Name": name, "WithDecryption": true})
	if err != nil {
		return result{err: err}
	}
	var out struct{ Parameter parameter }
	if err := p.aws.JSON(ctx, "ssm", "AmazonSSM.GetParameter", "1.1", in, &out); err != nil {
		return result{err: mendParameter(name, "ssm:GetParameter", err)}
	}
	return result{value: out.Parameter.Value}
}

func (p parameters) several(ctx context.Context, names []string) []result {
	in, err := json.Marshal(map[string]any{"Names": names, "WithDecryption": true})
	if err != nil {
		return fail(len(names), err)
	}
	var out struct{ Parameters []parameter }
	if err := p.aws.JSON(ctx, "ssm", "AmazonSSM.GetParameters", "1.1", in, &out); err != nil {
		results := make([]result, len(names))
		for i, name := range names {
			results[i].err = mendParameter(name, "ssm:GetParameters", err)
		}
		return results
	}
	results := make([]result, len(names))
	for i, name := range names {
		results[i].err = notThere(name)
		for _, found := range out.Parameters {
			if name == found.Name+found.Selector || name == found.Name || strings.HasPrefix(name, "arn:") && name == found.ARN {
				results[i] = result{value: found.Value}
				break
			}
		}
	}
	return results
}

// mendParameter adds to an error what to do about it.
func mendParameter(name, action string, err error) error {
	e, ok := errors.AsType[*awslite.Error](err)
	if !ok {
		return err
	}
	switch e.Code {
	case "ParameterNotFound", "ParameterVersionNotFound":
		return notThere(name)
	case "AccessDeniedException":
		return fmt.Errorf("%w: let the function's role %s it in template.yaml, and kms:Decrypt where its key is your own", err, action)
	}
	return err
}

// write stores a value; where there is one already, only if it may be replaced.
func (p parameters) write(ctx context.Context, name, value string, replace bool) error {
	if p.aws == nil {
		return errNoAWS
	}
	in, err := json.Marshal(map[string]any{"Name": name, "Value": value, "Type": "SecureString", "Overwrite": replace})
	if err != nil {
		return err
	}
	err = p.aws.JSON(ctx, "ssm", "AmazonSSM.PutParameter", "1.1", in, &struct{}{})
	if e, ok := errors.AsType[*awslite.Error](err); ok && e.Code == "ParameterAlreadyExists" {
		return ErrTaken
	}
	if err != nil {
		return mendParameter(name, "ssm:PutParameter", err)
	}
	return nil
}

func notThere(name string) error {
	return fmt.Errorf("%w: there is no such parameter in this account and region: store it with `aws ssm put-parameter --type SecureString --name %s --value …`", ErrAbsent, name)
}
