package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"pushpull/shared/awslite"
)

// secrets reads secretsmanager:name, and secretsmanager:name#field where the
// secret is a JSON object.
type secrets struct{ aws Caller }

// read reads each secret once, however many of its fields are asked for. There
// is a call for several at once, but it needs a permission on all secrets.
func (s secrets) read(ctx context.Context, names []string) []result {
	if s.aws == nil {
		return fail(len(names), errNoAWS)
	}
	byID := map[string][]int{} // to the names that want it
	for i, name := range names {
		id, _, _ := strings.Cut(name, "#")
		byID[id] = append(byID[id], i)
	}
	results := make([]result, len(names))
	var wait sync.WaitGroup
	for id, wanted := range byID {
		wait.Go(func() {
			whole := s.one(ctx, id)
			for _, i := range wanted {
				_, name, hasField := strings.Cut(names[i], "#")
				results[i] = whole
				if hasField && whole.err == nil {
					results[i] = field(whole.value, name)
				}
			}
		})
	}
	wait.Wait()
	return results
}

func (s secrets) one(ctx context.Context, id string) result {
	in, err := json.Marshal(map[string]string{"SecretId": id})
	if err != nil {
		return result{err: err}
	}
	var out struct {
		SecretString string
		SecretBinary []byte
	}
	if err := s.aws.JSON(ctx, "secretsmanager", "secretsmanager.GetSecretValue", "1.1", in, &out); err != nil {
		return result{err: mendSecret(id, err)}
	}
	if out.SecretString == "" {
		return result{value: string(out.SecretBinary)}
	}
	return result{value: out.SecretString}
}

// field returns one field of a secret that is a JSON object. Its errors are our
// own words, as the decoder's may quote the secret.
func field(secret, name string) result {
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(secret), &object); err != nil {
		return result{err: fmt.Errorf("the secret is not a JSON object, so it has no field %s: leave out #%s", name, name)}
	}
	raw, ok := object[name]
	if !ok {
		return result{err: fmt.Errorf("the secret has no field %s: add it, or name one that it has", name)}
	}
	var value string
	if err := json.Unmarshal(raw, &value); err != nil {
		return result{err: fmt.Errorf("field %s of the secret is not a text", name)}
	}
	return result{value: value}
}

// mendSecret adds to an error what to do about it.
func mendSecret(id string, err error) error {
	e, ok := errors.AsType[*awslite.Error](err)
	if !ok {
		return err
	}
	switch e.Code {
	case "ResourceNotFoundException":
		return fmt.Errorf("there is no such secret in this account and region: store it with `aws secretsmanager create-secret --name %s --secret-string …`", id)
	case "AccessDeniedException":
		return fmt.Errorf("%w: let the function's role secretsmanager:GetSecretValue it in template.yaml, and kms:Decrypt where its key is your own", err)
	}
	return err
}
