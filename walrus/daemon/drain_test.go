package daemon_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

func TestMetricsTellOfEachOperation(t *testing.T) {
	w := start(t)
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond/k", body: "hello", status: 200},
		{method: "GET", path: "/pond/k", status: 200},
		{method: "GET", path: "/pond/none", status: 404, code: "NoSuchKey"},
	})
	for _, line := range []string{
		`karri_http_requests_total{listener="public",method="GET",route="GetObject",status="200"} 1`,
		`karri_http_requests_total{listener="public",method="GET",route="GetObject",status="404"} 1`,
		`karri_http_bytes_total{direction="in",listener="public",route="PutObject"} 5`,
		`karri_http_errors_total{code="NoSuchKey",listener="public",route="GetObject"} 1`,
		`karri_http_request_seconds_count{listener="public",route="PutObject"} 1`,
		`walrus_logs_waiting 0`, `walrus_loop_away{loop="mill"} 0`, `walrus_loop_things{loop="lifecycle"} 0`,
	} {
		eventually(t, line, func() bool { return strings.Contains(w.Metrics(t), line) })
	}
}

// What is under way when walrus is told to end is answered; who comes later is
// not.
func TestAnEndWaitsForRequestsUnderWay(t *testing.T) {
	cloud := walrustest.StartCloud(t)
	w := walrustest.Start(t, cloud, daemon.Config{})
	play(t, w, []ask{{method: "PUT", path: "/pond", status: 200}})
	from, to := io.Pipe()
	r := w.Request(t, "PUT", "/pond/k", "", "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD")
	r.Body, r.ContentLength = from, 10
	w.Sign(t, ann, r)
	answered := make(chan int, 1)
	go func() {
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		_ = res.Body.Close()
		answered <- res.StatusCode
	}()
	if _, err := to.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the put is under way", func() bool {
		return strings.Contains(w.Metrics(t), `karri_http_requests_running{listener="public"} 1`)
	})
	ended := make(chan struct{})
	go func() { w.Stop(); close(ended) }()
	eventually(t, "nobody else is let in", func() bool {
		c, err := net.DialTimeout("tcp", w.Host, time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	if _, err := to.Write([]byte("world")); err != nil {
		t.Fatal(err)
	}
	_ = to.Close()
	if status := <-answered; status != 200 {
		t.Errorf("the request under way was answered with %d", status)
	}
	<-ended
	conf := daemon.Config{}
	conf.State = w.State
	play(t, walrustest.Start(t, cloud, conf), []ask{{method: "GET", path: "/pond/k", status: 200, has: []string{"helloworld"}}})
}
