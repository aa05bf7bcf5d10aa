package pull

import (
	"fmt"
	"maps"
	"net/http"
	"strings"

	"pushpull/shared/config"
)

// Authenticate puts a credential into a request, which must be found to go to the
// API's own host before. With gives values for the templates of basic besides
// {token}. The error begins with the key that is wrong, such as auth.username.
func Authenticate(req *http.Request, a *config.PollAuth, token string, with map[string]string) error {
	switch authType(a) {
	case "none":
	case "bearer":
		prefix := a.Prefix
		if prefix == "" {
			prefix = "Bearer"
		}
		req.Header.Set("Authorization", prefix+" "+token)
	case "basic":
		values := map[string]string{"token": token}
		maps.Copy(values, with)
		user, password, err := basic(a, values)
		if err != nil {
			return err
		}
		req.SetBasicAuth(user, password)
	case "api_key":
		if a.In != "query" {
			req.Header.Set(a.Name, strings.TrimSpace(a.Prefix+" "+token))
			return nil
		}
		query := req.URL.Query()
		query.Set(a.Name, token)
		req.URL.RawQuery = query.Encode()
	default:
		return fmt.Errorf("auth.type %q is not known: it is none, bearer, basic or api_key", a.Type)
	}
	return nil
}

func basic(a *config.PollAuth, values map[string]string) (user, password string, err error) {
	template := a.Username
	if a.Username == "" && a.Password == "" {
		template = "{token}"
	}
	if user, err = expand(template, values, nil); err != nil {
		return "", "", fmt.Errorf("auth.username: %w", err)
	}
	if password, err = expand(a.Password, values, nil); err != nil {
		return "", "", fmt.Errorf("auth.password: %w", err)
	}
	return user, password, nil
}

func authType(a *config.PollAuth) string {
	if a == nil || a.Type == "" {
		return "none"
	}
	return a.Type
}
