package rest

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the numbers of one daemon.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	running  *prometheus.GaugeVec
	refused  *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	errors   *prometheus.CounterVec
}

// NewMetrics returns the numbers that every daemon has.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "karri_http_requests_total", Help: "Requests served."},
			[]string{"listener", "route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "karri_http_request_seconds", Help: "How long requests took.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10, 60}}, []string{"listener", "route"}),
		running: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "karri_http_requests_running", Help: "Requests under way."}, []string{"listener"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "karri_refused_requests_total", Help: "Requests between components refused, by reason."},
			[]string{"reason"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "karri_http_bytes_total", Help: "Bytes of the bodies of requests (in) and answers (out)."},
			[]string{"listener", "route", "direction"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "karri_http_errors_total", Help: "Requests answered with an error, by its code."},
			[]string{"listener", "route", "code"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.running, m.refused, m.bytes, m.errors,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Gauge adds a number that is read when it is asked for.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// Gauges adds a number that is read when it is asked for, for each value that a
// label has then. When it cannot be read there is none.
func (m *Metrics) Gauges(name, help, label string, read func() map[string]float64) {
	m.registry.MustRegister(gauges{prometheus.NewDesc(name, help, []string{label}, nil), read})
}

type gauges struct {
	desc *prometheus.Desc
	read func() map[string]float64
}

func (g gauges) Describe(c chan<- *prometheus.Desc) { c <- g.desc }

func (g gauges) Collect(c chan<- prometheus.Metric) {
	for value, n := range g.read() {
		c <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, n, value)
	}
}

// Counter adds a number that only grows, and returns the function that adds to
// it under the given values of labels.
func (m *Metrics) Counter(name, help string, labels ...string) func(n float64, values ...string) {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return func(n float64, values ...string) { v.WithLabelValues(values...).Add(n) }
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
