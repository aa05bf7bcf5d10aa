package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// kinto is Kinto: changes since a time, later than and never at it, the next page's
// address in a header, ETag, and removals among the records.
type kinto struct {
	server
	ids []string
}

const (
	kintoUser     = "someone"
	kintoPassword = "a password"
	kintoRecords  = "/v1/buckets/shop/collections/orders/records"
)

func (k *kinto) name() string { return "kinto" }

func (k *kinto) command(installed, dir string) ([]string, error) {
	settings := filepath.Join(dir, "kinto.ini")
	text := fmt.Sprintf(`[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = %s
[app:main]
use = egg:kinto
kinto.userid_hmac_secret = of no use to anybody
multiauth.policies = basicauth
multiauth.policy.basicauth.use = kinto.core.authentication.BasicAuthAuthenticationPolicy
kinto.bucket_create_principals = system.Authenticated
kinto.storage_backend = kinto.core.storage.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.permission_backend = kinto.core.permission.memory
`, k.port())
	return []string{filepath.Join(installed, "venv/bin/kinto"), "start", "--ini", settings}, os.WriteFile(settings, []byte(text), 0o600)
}

func (k *kinto) ready(ctx context.Context) bool {
	return k.call(ctx, "GET", "/v1/", "", "", nil, nil) == nil
}

func (k *kinto) fill(ctx context.Context, later bool) error {
	put := func(path string, body string) (id string, err error) {
		var answer struct{ Data struct{ ID string } }
		method := map[bool]string{true: "POST", false: "PUT"}[path == kintoRecords]
		err = k.call(ctx, method, path, kintoUser, "application/json", []byte(body), &answer)
		return answer.Data.ID, err
	}
	if later {
		for i, id := range k.ids[:30] {
			var err error
			if i%3 == 0 {
				err = k.call(ctx, "DELETE", kintoRecords+"/"+id, kintoUser, "", nil, nil)
			} else {
				_, err = put(kintoRecords+"/"+id, `{"data":{"state":"paid"}}`)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	for _, path := range []string{"/v1/buckets/shop", "/v1/buckets/shop/collections/orders"} {
		if _, err := put(path, `{}`); err != nil {
			return err
		}
	}
	for i := range 130 {
		id, err := put(kintoRecords, fmt.Sprintf(`{"data":{"n":%d}}`, i))
		if err != nil {
			return err
		}
		k.ids = append(k.ids, id)
	}
	return nil
}

func (k *kinto) config() string {
	return fmt.Sprintf(`  kinto:
    poll:
      every: 5s
      adapt: none
      base_url: http://%s/v1
      token: ssm:/peers/kinto
      auth: { type: basic, username: someone, password: "{token}" }
      request: { path: /buckets/shop/collections/orders/records, params: { _sort: last_modified, _limit: "40" } }
      records: { path: data, deleted_when: .deleted == true }
      pagination: { type: next_url, cursor_header: Next-Page }
      incremental: { cursor_path: last_modified, start_param: _since, format: unix_ms, precision: ms, exclusive: true, order: asc }
      conditional: etag
      event: { identity: "{body.id}@{body.last_modified}", entity: "{body.id}", version: "{body.last_modified}", time: "{body.last_modified}" }
`, k.host)
}

func (k *kinto) has(ctx context.Context) (ids []string, err error) {
	var all struct {
		Data []struct {
			ID           string
			LastModified int64 `json:"last_modified"`
		}
	}
	err = k.call(ctx, "GET", kintoRecords+"?_since=1", kintoUser, "", nil, &all)
	for _, r := range all.Data {
		ids = append(ids, fmt.Sprintf("%s@%d", r.ID, r.LastModified))
	}
	return ids, err
}
