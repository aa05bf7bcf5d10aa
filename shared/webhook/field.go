package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/tidwall/sjson"
)

// inField applies a scheme to the JSON in a field of a form.
type inField struct {
	of   scheme
	name string
}

func (f *inField) readsBody() bool    { return true }
func (f *inField) covers(string) bool { return false } // of the other fields nothing is known

func (f *inField) verify(ctx context.Context, c Credentials, v *view, at time.Time) error {
	text, ok := single(v.form(), f.name)
	if !ok {
		return fmt.Errorf("%w: the form has no field %s", ErrMissing, f.name)
	}
	item := jsonOf([]byte(text))
	if item == nil {
		return fmt.Errorf("%w: the field %s is no JSON", ErrSignature, f.name)
	}
	if duplicateKey(item) {
		return fmt.Errorf("%w: the field %s has a member twice, or is too deep to tell", ErrSignature, f.name)
	}
	return f.of.verify(ctx, c, &view{r: v.r, item: item}, at)
}

func (f *inField) sign(c Credentials, r *Request, o signing) error {
	text, ok := single((&view{r: r}).form(), f.name)
	if !ok {
		return errors.New("the form has no field " + f.name)
	}
	o.item = []byte(text)
	o.set = func(path, value string) error {
		signed, err := sjson.Set(text, path, value)
		if err != nil {
			return err
		}
		// As it stands in a multipart, or encoded in a form.
		r.Body = bytes.Replace(r.Body, []byte(text), []byte(signed), 1)
		r.Body = bytes.Replace(r.Body, []byte(url.QueryEscape(text)), []byte(url.QueryEscape(signed)), 1)
		return nil
	}
	return f.of.sign(c, r, o)
}
