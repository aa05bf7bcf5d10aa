package replay_test

import (
	"context"
	"fmt"
	"os"

	"pushpull/shared/api/replay"
	"pushpull/shared/config"
	"pushpull/shared/pull"
)

// A recording that `pushpull poll --record` made stands in for the API.
func ExamplePlayer() {
	file, err := os.Open("testdata/shop.ndjson")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	player, err := replay.Open(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	shop, err := pull.New(config.Poll{
		BaseURL:     "https://api.example.com",
		Request:     &config.Request{Path: "/orders"},
		Records:     &config.Records{Path: "data"},
		Pagination:  &config.Pagination{Type: "cursor", CursorPath: "next", CursorParam: "cursor"},
		Incremental: &config.Incremental{CursorPath: "at", StartParam: "since", Order: "asc"},
	}, pull.Options{API: player.Options()})
	if err != nil {
		fmt.Println(err)
		return
	}
	for page, err := range shop.Run(context.Background(), pull.State{}) {
		fmt.Println(err, string(page.Records[0].Data))
	}
	fmt.Println("not asked for:", len(player.Left()))
	// Output:
	// <nil> {"id":"e1","at":"2026-11-23T10:00:00Z"}
	// <nil> {"id":"e2","at":"2026-11-23T11:00:00Z"}
	// not asked for: 0
}
