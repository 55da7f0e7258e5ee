import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { e2eCluster } from '../support/e2e-cluster.ts'
import { findKubectl, kubectl } from '../support/kubectl.ts'
import { oneNamespace } from '../support/one-namespace.ts'
import { missingForE2e } from '../support/seamark-events.ts'

const missing = missingForE2e() ?? findKubectl().reason
if (missing) console.warn(`e2e of kubectl's commands skipped: ${missing}`)

const ROLE = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: tour}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list, watch]}]
`
const TWO = `
apiVersion: v1
kind: ConfigMap
metadata: {name: applied, namespace: tour, labels: {set: one}}
data: {a: "1"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: pruned, namespace: tour, labels: {set: one}}
data: {a: "1"}
`
const LIST = `
apiVersion: v1
kind: List
items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: listed, namespace: tour}, data: {a: b}}]
`
const ONE = TWO.slice(0, TWO.indexOf('---'))
const SETS = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec: {serviceName: db, replicas: 2, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: registry.example/db:1}]}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec: {selector: {matchLabels: {app: agent}}, template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: agent, image: registry.example/agent:1}]}}}
`

/** One line for a command: what is typed, and what it has to print. `{pod}` is a pod of the Deployment, `{dir}` a folder. */
type Step = readonly [command: string, prints: RegExp, input?: string]

const TOUR: Readonly<Record<string, readonly Step[]>> = {
  'Basic commands': [
    ['create deployment web --image=registry.example/web:1 --replicas=2', /deployment.apps\/web created/],
    ['rollout status deployment/web --timeout=60s', /successfully rolled out/],
    ['expose deployment web --port=80 --target-port=8080', /service\/web exposed/],
    ['run one --image=registry.example/one:1 --labels=a=b', /pod\/one created/],
    ['set image deployment/web web=registry.example/web:2', /image updated/],
    ['set env deployment/web A=B', /env updated/],
    ['set resources deployment/web --limits=cpu=200m,memory=64Mi', /resource requirements updated/],
    ['set serviceaccount deployment/web default', /serviceaccount updated/],
    ['set selector service web app=web', /selector updated/],
    ['explain pod.spec.containers.image', /Container image name/],
    ['explain ingress.spec.rules --recursive', /backend/],
    ['explain deployment.spec.strategy', /existing pods with new ones/],
    ['get deployment,service,endpointslices', /deployment.apps\/web/],
    ['edit deployment/web', /no changes made/],
  ],
  'Creating each thing': [
    ['create configmap settings --from-literal=a=b', /configmap\/settings created/],
    ['create secret generic secret --from-literal=p=q', /secret\/secret created/],
    ['create serviceaccount robot', /serviceaccount\/robot created/],
    ['create token robot', /^ey[\w-]+\.[\w-]+\.[\w-]+/],
    ['create role reader --verb=get,list --resource=pods', /role.* created/],
    ['create rolebinding readers --role=reader --serviceaccount=tour:robot', /created/],
    ['create clusterrole nodes --verb=get --resource=nodes', /created/],
    ['create clusterrolebinding nodes --clusterrole=nodes --serviceaccount=tour:robot', /created/],
    ['create quota some --hard=pods=50', /resourcequota\/some created/],
    ['create pdb web --selector=app=web --min-available=1', /poddisruptionbudget.* created/],
    ['create priorityclass high --value=100', /created/],
    ['create ingress web --rule=shop.example/*=web:80', /ingress.* created/],
    ['create job once --image=registry.example/once:1', /job.batch\/once created/],
    ['wait job/once --for=condition=Complete --timeout=60s', /condition met/],
    ['create job words --image=busybox -- echo hello', /job.batch\/words created/],
    ['wait job/words --for=condition=Complete --timeout=60s', /condition met/],
    ['logs job/words', /^hello\n$/],
    [
      'create cronjob often --image=registry.example/often:1 --schedule=0_0_1_1_*',
      /cronjob.batch\/often created/,
    ],
    ['create job now --from=cronjob/often', /job.batch\/now created/],
    ['get jobs,cronjobs', /Complete +1\/1/],
  ],
  'Deploy commands': [
    ['rollout status deployment/web --timeout=60s', /successfully rolled out/],
    ['rollout history deployment/web', /REVISION/],
    ['rollout undo deployment/web', /rolled back/],
    ['rollout pause deployment/web', /paused/],
    ['rollout resume deployment/web', /resumed/],
    ['rollout restart deployment/web', /restarted/],
    ['scale deployment/web --replicas=3', /scaled/],
    ['autoscale deployment/web --min=1 --max=5 --cpu=50%', /autoscaled/],
    ['get hpa web', /Deployment\/web/],
    ['delete hpa web', /deleted/],
    ['rollout status deployment/web --timeout=60s', /successfully rolled out/],
    ['apply -f -', /daemonset.apps\/agent created/, SETS],
    [
      'rollout status sts/db --timeout=60s',
      /partitioned roll out complete|roll out complete|rolling update complete/,
    ],
    ['rollout status ds/agent --timeout=60s', /successfully rolled out/],
    ['set image sts/db db=registry.example/db:2', /image updated/],
    ['rollout status sts/db --timeout=60s', /complete/],
    ['rollout history sts/db', /2 +<none>/],
    ['rollout undo sts/db', /rolled back/],
    ['rollout status sts/db --timeout=60s', /complete/],
    ['get pod db-0 -o jsonpath={.spec.containers[0].image}', /db:1$/],
    ['set image ds/agent agent=registry.example/agent:2', /image updated/],
    ['rollout status ds/agent --timeout=60s', /successfully rolled out/],
    ['rollout undo ds/agent', /rolled back/],
    ['get sts,ds,controllerrevisions', /statefulset.apps\/db/],
  ],
  'Cluster management': [
    ['cluster-info', /Kubernetes control plane.*is running at/],
    ['top nodes', /CPU\(cores\)/],
    ['top pods', /MEMORY\(bytes\)/],
    ['taint nodes worker-0 a=b:NoSchedule', /tainted/],
    ['taint nodes worker-0 a-', /untainted/],
    ['cordon worker-0', /cordoned/],
    ['drain worker-0 --ignore-daemonsets --delete-emptydir-data --force --timeout=90s', /drained/],
    ['uncordon worker-0', /uncordoned/],
    ['rollout status deployment/web --timeout=60s', /successfully rolled out/],
  ],
  Troubleshooting: [
    ['describe pod {pod}', /Events:[\s\S]*Scheduled/],
    ['describe node worker-1', /Allocated resources/],
    ['describe deployment web', /NewReplicaSetAvailable/],
    ['describe service web', /Endpoints/],
    ['describe job once', /Pods Statuses/],
    ['describe cronjob often', /Schedule/],
    ['logs {pod}', /./],
    ['logs -l app=web --tail=1 --prefix', /\[pod\/web-/],
    ['exec {pod} -- echo hello', /^hello/],
    ['exec deployment/web -- cat /etc/hostname', /^web-/],
    ['cp {dir}/file {pod}:/tmp/copied', /^$/],
    ['exec {pod} -- cat /tmp/copied', /^content/],
    ['debug {pod} --image=registry.example/debug:1 --target=web', /Targeting container/],
    ['auth can-i list pods --as=system:serviceaccount:tour:robot', /^yes/],
    ['auth can-i --list --as=system:serviceaccount:tour:robot', /pods +\[\] +\[\] +\[get list\]/],
    ['auth whoami', /kubernetes-admin/],
    ['auth reconcile -f -', /role.* reconciled/, ROLE],
    ['events', /Scheduled/],
    ['get events --sort-by=.lastTimestamp', /Created/],
  ],
  'Advanced commands': [
    ['apply -f -', /configmap\/listed created/, LIST],
    ['apply -f -', /configmap\/pruned created/, TWO],
    ['diff -f -', /^$/, TWO],
    ['apply view-last-applied configmap/applied', /a: "1"/],
    ['apply --prune -l set=one --prune-allowlist=core/v1/ConfigMap -f -', /configmap\/pruned pruned/, ONE],
    ['apply --server-side --force-conflicts -f -', /serverside-applied/, ONE],
    ['apply set-last-applied -f - --create-annotation', /configured/, ONE],
    ['replace -f -', /replaced/, ONE],
    ['replace --force -f -', /replaced/, ONE],
    ['apply -k {dir}', /configmap\/k-generated-\w+ created/],
    ['kustomize {dir}', /name: k-generated/],
    ['delete -k {dir}', /deleted/],
    ['patch deployment web -p {"spec":{"minReadySeconds":1}}', /patched/],
    ['patch deployment web --type=json -p [{"op":"replace","path":"/spec/replicas","value":2}]', /patched/],
    ['patch deployment web --subresource=scale --type=merge -p {"spec":{"replicas":3}}', /patched/],
    ['get deployment web --subresource=scale', /DESIRED +AVAILABLE +AGE\nweb +3/],
    ['get deployment web --subresource=status -o jsonpath={.kind}', /Deployment/],
    ['wait deployment/web --for=condition=Available --timeout=60s', /condition met/],
  ],
  'Settings and others': [
    ['run two --image=registry.example/two:1', /pod\/two created/],
    ['label pod two x=y', /labeled/],
    ['label pods --all z=1', /labeled/],
    ['annotate pod two x=y', /annotated/],
    ['label pod two x-', /unlabeled/],
    ['api-resources --verbs=list -o name', /statefulsets.apps/],
    ['api-versions', /batch\/v1/],
    ['version', /Server Version: v1\.36/],
    ['get pods -o custom-columns=N:.metadata.name', /two/],
    ['get pods -A --field-selector=status.phase=Running --sort-by=.metadata.name', /db-0/],
    ['get pods --chunk-size=1 --show-labels', /app=web/],
    ['get --raw /readyz', /^ok/],
    ['delete pod two --grace-period=0 --force', /force deleted/],
    ['delete deployment web --cascade=foreground --timeout=60s', /deleted/],
    ['delete all --all --timeout=90s', /deleted/],
    ['delete namespace tour --timeout=90s', /deleted/],
  ],
}

describe.skipIf(missing)('The real kubectl, command by command', () => {
  const cluster = e2eCluster((folder) => oneNamespace(folder, 'tour'))
  beforeAll(() => {
    writeFileSync(join(cluster.folder, 'file'), 'content\n')
    writeFileSync(
      join(cluster.folder, 'kustomization.yaml'),
      'namespace: tour\nnamePrefix: k-\nconfigMapGenerator: [{name: generated, literals: [a=b]}]\n',
    )
  })

  const run = async (command: string, input?: string) => {
    const podName = command.includes('{pod}')
      ? (
          await kubectl(cluster.seamark.kubeconfig, [
            '-n',
            'tour',
            'get',
            'pods',
            '-l',
            'app=web',
            '-o',
            'jsonpath={.items[0].metadata.name}',
          ])
        ).stdout
      : ''
    const words = command
      .split(' ')
      .map((word) =>
        word.replace('{pod}', podName).replace('{dir}', cluster.folder).replaceAll('0_0_1_1_*', '0 0 1 1 *'),
      )
    return kubectl(cluster.seamark.kubeconfig, ['-n', 'tour', ...words], {
      env: { KUBE_EDITOR: 'true' },
      ...(input === undefined ? {} : { input }),
    })
  }

  /** A pod has metrics once it was sampled, as with a metrics server. */
  const measured = async (command: string) => {
    await expect.poll(async () => (await run(command)).code, { timeout: 40_000, interval: 1000 }).toBe(0)
    return run(command)
  }

  for (const [group, steps] of Object.entries(TOUR)) {
    test(group, async () => {
      for (const [command, prints, input] of steps) {
        const answer = command.startsWith('top ') ? measured(command) : run(command, input)
        const { code, stdout, stderr } = await answer
        expect(code, `kubectl ${command}: ${stderr}`).toBe(0)
        expect(`${stdout}${prints.source === '^$' ? '' : stderr}`, `kubectl ${command}`).toMatch(prints)
      }
    })
  }
})
