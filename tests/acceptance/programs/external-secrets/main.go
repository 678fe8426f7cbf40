// External Secrets with one provider: its released controllers for SecretStores and ExternalSecrets, without the
// clouds' client libraries. Its own program of that version links all providers.
package main

import (
	"flag"
	"log"
	"time"

	esv1 "github.com/external-secrets/external-secrets/apis/externalsecrets/v1"
	"github.com/external-secrets/external-secrets/pkg/controllers/common"
	"github.com/external-secrets/external-secrets/pkg/controllers/externalsecret"
	"github.com/external-secrets/external-secrets/pkg/controllers/externalsecret/esmetrics"
	ctrlmetrics "github.com/external-secrets/external-secrets/pkg/controllers/metrics"
	"github.com/external-secrets/external-secrets/pkg/controllers/secretstore"
	"github.com/external-secrets/external-secrets/pkg/controllers/secretstore/ssmetrics"
	_ "github.com/external-secrets/external-secrets/pkg/provider/kubernetes"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const class = "default"

func main() {
	flag.Parse()
	ctrl.SetLogger(zap.New())
	ctrlmetrics.SetUpLabelNames(false)
	esmetrics.SetUpMetrics()
	ssmetrics.SetUpMetrics()
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(esv1.AddToScheme(scheme))
	config := ctrl.GetConfigOrDie()
	config.QPS, config.Burst = 50, 100
	uncached := []client.Object{&corev1.Secret{}, &corev1.ConfigMap{}}
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:  scheme,
		Metrics: server.Options{BindAddress: ":8080"},
		Client:  client.Options{Cache: &client.CacheOptions{DisableFor: uncached}},
	})
	check(err)
	check((&secretstore.StoreReconciler{
		Client:          manager.GetClient(),
		Log:             ctrl.Log.WithName("SecretStore"),
		Scheme:          scheme,
		ControllerClass: class,
		RequeueInterval: 5 * time.Minute,
	}).SetupWithManager(manager, options()))
	check((&externalsecret.Reconciler{
		Client:          manager.GetClient(),
		SecretClient:    manager.GetClient(),
		Log:             ctrl.Log.WithName("ExternalSecret"),
		Scheme:          scheme,
		RestConfig:      config,
		ControllerClass: class,
		RequeueInterval: time.Hour,
		EnableFloodGate: true,
	}).SetupWithManager(manager, options()))
	check(manager.Start(ctrl.SetupSignalHandler()))
}

func options() controller.Options {
	return controller.Options{MaxConcurrentReconciles: 4, RateLimiter: common.BuildRateLimiter()}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
