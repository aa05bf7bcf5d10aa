package secrets

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// A fault is an error of the AWS JSON protocol.
type fault struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}

func (f *fault) Error() string { return f.Type + ": " + f.Message }

// calls are what is answered, by X-Amz-Target.
var calls = map[string]func(*Store, []byte) (any, error){
	"AmazonSSM.GetParameter":        (*Store).getParameter,
	"AmazonSSM.GetParameters":       (*Store).getParameters,
	"AmazonSSM.GetParametersByPath": (*Store).getParametersByPath,
	"AmazonSSM.PutParameter":        (*Store).putParameter,
	"secretsmanager.GetSecretValue": (*Store).getSecretValue,
	"secretsmanager.PutSecretValue": (*Store).putSecretValue,
}

// ServeHTTP answers both services; signatures are not checked.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	target := r.Header.Get("X-Amz-Target")
	call, ok := calls[target]
	if !ok {
		refuse(w, &fault{"UnknownOperationException", "not supported here: " + target})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		refuse(w, &fault{"SerializationException", "the request could not be read"})
		return
	}
	out, err := call(s, body)
	if err != nil {
		refuse(w, err)
		return
	}
	_ = json.NewEncoder(w).Encode(out) // the caller may have gone
}

func refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	var f *fault
	if !errors.As(err, &f) {
		f, status = &fault{"InternalServerError", err.Error()}, http.StatusInternalServerError
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(f)
}

func decode(body []byte, in any) error {
	if err := json.Unmarshal(body, in); err != nil {
		return &fault{"SerializationException", "the request is not the JSON of this call"}
	}
	return nil
}

type parameter struct {
	Name     string
	Type     string
	Value    string
	Version  int
	ARN      string
	DataType string
}

func (s *Store) parameter(name string) (parameter, bool) {
	v, err := s.Value("ssm:" + name)
	arn := "arn:aws:ssm:us-east-1:000000000000:parameter/" + strings.TrimPrefix(name, "/")
	return parameter{Name: name, Type: "SecureString", Value: v, Version: 1, ARN: arn, DataType: "text"}, err == nil
}

func (s *Store) getParameter(body []byte) (any, error) {
	var in struct{ Name string }
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	p, ok := s.parameter(in.Name)
	if !ok {
		return nil, &fault{"ParameterNotFound", in.Name + " is not in " + s.path}
	}
	return map[string]any{"Parameter": p}, nil
}

func (s *Store) getParameters(body []byte) (any, error) {
	var in struct{ Names []string }
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	if len(in.Names) == 0 || len(in.Names) > 10 {
		return nil, &fault{"ValidationException", "Names must have 1 to 10 members"}
	}
	found, missing := []parameter{}, []string{}
	for _, name := range in.Names {
		if p, ok := s.parameter(name); ok {
			found = append(found, p)
		} else {
			missing = append(missing, name)
		}
	}
	return map[string]any{"Parameters": found, "InvalidParameters": missing}, nil
}

func (s *Store) getParametersByPath(body []byte) (any, error) {
	var in struct {
		Path      string
		Recursive bool
	}
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	path := strings.TrimSuffix(in.Path, "/") + "/"
	found := []parameter{}
	for _, ref := range s.under("ssm:" + path) {
		name := strings.TrimPrefix(ref, "ssm:")
		if !in.Recursive && strings.Contains(strings.TrimPrefix(name, path), "/") {
			continue
		}
		if p, ok := s.parameter(name); ok {
			found = append(found, p)
		}
	}
	return map[string]any{"Parameters": found}, nil
}

func (s *Store) putParameter(body []byte) (any, error) {
	var in struct {
		Name, Value string
		Overwrite   bool
	}
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	if in.Name == "" || in.Value == "" {
		return nil, &fault{"ValidationException", "Name and Value are required"}
	}
	if _, exists := s.parameter(in.Name); exists && !in.Overwrite {
		return nil, &fault{"ParameterAlreadyExists", in.Name + " exists: say --overwrite"}
	}
	return map[string]any{"Version": 1, "Tier": "Standard"}, s.Set("ssm:"+in.Name, in.Value)
}

type secretRequest struct {
	SecretID     string `json:"SecretId"`
	SecretString string
	VersionStage string
	VersionID    string `json:"VersionId"`
}

// nameOf takes the name out of an ARN.
func nameOf(id string) string {
	if _, name, ok := strings.Cut(id, ":secret:"); ok {
		return name
	}
	return id
}

func (s *Store) getSecretValue(body []byte) (any, error) {
	var in secretRequest
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	if in.VersionStage != "" && in.VersionStage != "AWSCURRENT" || in.VersionID != "" {
		return nil, &fault{"ResourceNotFoundException", "only the version AWSCURRENT is kept here"}
	}
	name := nameOf(in.SecretID)
	v, err := s.Value("secretsmanager:" + name)
	if err != nil {
		return nil, &fault{"ResourceNotFoundException", name + " is not in " + s.path}
	}
	return map[string]any{"Name": name, "ARN": secretARN(name), "SecretString": v, "VersionId": "local", "VersionStages": []string{"AWSCURRENT"}}, nil
}

func (s *Store) putSecretValue(body []byte) (any, error) {
	var in secretRequest
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	if in.SecretString == "" {
		return nil, &fault{"InvalidRequestException", "SecretString is required; binary secrets are not supported here"}
	}
	name := nameOf(in.SecretID)
	return map[string]any{"Name": name, "ARN": secretARN(name), "VersionId": "local", "VersionStages": []string{"AWSCURRENT"}}, s.Set("secretsmanager:"+name, in.SecretString)
}

func secretARN(name string) string {
	return "arn:aws:secretsmanager:us-east-1:000000000000:secret:" + name
}
