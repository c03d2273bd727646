BEGIN TRANSACTION;
CREATE TABLE blobs (
        key TEXT PRIMARY KEY, content_type TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
        keep_until INTEGER NOT NULL, owner TEXT, recipe TEXT, facts TEXT);
INSERT INTO "blobs" VALUES('23F1BFE971D1555F76A8D2F8EDAE663DC9F427237C8B4FD9AAABEE2F07363F65','image/png',1712,'75c9e5c105ce95efabcb37640017c9a8',3373598520000000,'civitai-1',NULL,NULL);
INSERT INTO "blobs" VALUES('FD37F238AADCAEB32FFAE63B341565E731DA5B121F61E2456772FD0363D41322','image/png',0,'',3373598520000000,'civitai-1','{"painter":1,"job":"3cbc0e1f-53b0-489a-83b2-07490d7bbf11","node":"SaveImage","index":1,"content":"blank"}',NULL);
INSERT INTO "blobs" VALUES('D200F69B47AFF04CFF5C5E3BAF332A94762688868B99783AC583D35AE51A33B8','image/png',0,'',3373598521000000,'civitai-1','{"painter":1,"job":"5b64a0fe-c87e-4025-ab53-27e91a42cd51","node":"9","index":0,"content":"blank"}',NULL);
CREATE TABLE "jobs" (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, issued_by TEXT NOT NULL,
        submission_id TEXT NOT NULL, cost REAL NOT NULL, charged INTEGER NOT NULL, priority INTEGER NOT NULL,
        created_at INTEGER NOT NULL, expire_at INTEGER NOT NULL, keep_until INTEGER NOT NULL,
        slots TEXT NOT NULL, seq INTEGER NOT NULL, changed_at INTEGER NOT NULL, stage TEXT NOT NULL,
        retry_attempt INTEGER NOT NULL, outcome TEXT, provider TEXT, worker_id TEXT, claimed_at INTEGER,
        lease_until INTEGER, prompt_id TEXT, waits INTEGER NOT NULL, result TEXT, taint TEXT,
        callback_due_at INTEGER, callback_told INTEGER NOT NULL DEFAULT -1,
        callback_failures INTEGER NOT NULL DEFAULT 0);
INSERT INTO "jobs" VALUES(1,'3cbc0e1f-53b0-489a-83b2-07490d7bbf11','TextToImageV2','civitai-1','1685610f-bbb4-4664-9a36-4d3f5e2796bb',0.004,1,0,3373512120000000,3373598520000000,3373598520000000,'[[null,7,true],[null,7,true]]',4,3373512120000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'9e77b2a9-aeca-4a38-abb7-ae73d438ca1f',0,NULL,NULL,3373512123897461,-1,2);
INSERT INTO "jobs" VALUES(2,'5b64a0fe-c87e-4025-ab53-27e91a42cd51','Comfy','civitai-1','a2880682-2dee-40e8-a026-01e8e8fe1802',1.0,1,0,3373512121000000,3373598521000000,3373598521000000,'[[null,1234567890,true,"9_0.png"]]',4,3373512121000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'f9902f77-463b-4c8f-a2f4-c25d83b42869',0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(3,'b2cbafed-789c-4b8a-860e-0c3203859ef6','WDTagging','civitai-1','240a53f9-cd3d-4fed-bd22-06b70f7ce03a',1.0,1,0,3373512122000000,3373598522000000,3373598522000000,'[]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,NULL,0,'{"tags":{"solo":0.8754,"snow":0.8445,"flower":0.8444,"smile":0.8292,"brown_hair":0.7789,"tree":0.6779,"grass":0.6164,"night":0.5493,"blue_sky":0.5368,"day":0.5103},"rating":{"general":0.9121,"sensitive":0.0279,"questionable":0.0306,"explicit":0.0293}}',NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(4,'e278dac9-e700-40c9-b4e6-875ac377c486','TextToImageV2','civitai-1','ee14f788-de87-466c-910a-55fec1b2f98b',0.002,1,0,3373512123000000,3373598523000000,3373598523000000,'[[null,7,false]]',0,3373512123000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(5,'d9736db3-0a83-468b-8e6d-4b32412dc339','TextToImageV2','civitai-1','1c425b6e-2cf7-449a-a5ac-1ffb13dff183',0.002,1,0,3373512123000000,3373598523000000,3373598523000000,'[[null,7,false]]',0,3373512123000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(6,'bdb75b9d-840c-4eda-8d1f-a1889f477d0a','TextToImageV2','civitai-1','1c425b6e-2cf7-449a-a5ac-1ffb13dff183',0.002,1,0,3373512123000000,3373598523000000,3373598523000000,'[[null,7,false]]',0,3373512123000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(7,'eb9c5db7-941d-4874-be9d-13a635b9fa47','TextToImageV2','civitai-1','1f268dd0-3935-4baa-91e5-ddd4c41df730',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',1,3373512124000000,'QUEUED',0,'DELETED',NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0);
CREATE TABLE "jobs announcements" (
        workflow INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (workflow, seq)) WITHOUT ROWID
    ;
CREATE TABLE "jobs deliveries" (
        workflow INTEGER PRIMARY KEY, last INTEGER NOT NULL, due_at INTEGER,
        told INTEGER NOT NULL DEFAULT -1, failures INTEGER NOT NULL DEFAULT 0);
CREATE TABLE "jobs jobEvent" (
        job INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (job, seq)) WITHOUT ROWID
    ;
INSERT INTO "jobs jobEvent" VALUES(1,4,X'C3DE643500361B4010ADE9606A606061619C629E669C6A40595395480B286E9B54809A3264B450750DF136510789F349695B59A69A9B2719255AEA26A62627EA9A241A5BE82626259903B9E6C629C09A2439D1300DBDFD85ABF985B399030C36503B0777E394A880533230D04D4D3230B33437374D49354B313631484B4B3333344D4C4D4936B23437B53036D035324835B24C32B34C35494B324A354ED535300026672A3467F1241950038EF6153C72C3CEC0D0C0D41454C71BA037EE685DC79B99000B0B78150FE6A1D4F04684AA568A2AD64485B47C60B18752BB126CD451B56A4F5448C907D685A4B96000EB74509D0DABCA419145D59A1C25E8476B6F326A6FE3E4A4648354C3345D53E324035D136075AD6B619C64A46B606E626990629E949466086ACF90507B03D552AB3309CB6B587A8BA0E130CCDE224894E8861E39ED6344179F9871036AD66D48430BA0AE3E6868C1CCCCD00C260C12C33F9240AFC1064235A4522DB0362C2D4E2DF2047AC1BC1600');
INSERT INTO "jobs jobEvent" VALUES(2,4,X'C3DE643500361B4010ADE9606A606061619C629E669C6A40595395480B08B74DC0D5AD1259AD505D43BCCD503A3A919436529AA5A581519AB9B9AE899931281958A4E9261AA599E8261B99A65818279918013B8318ED28529B98C0A001B557703732890A1C250303DD3463D3D4E4144BA324E394644BE3B434A354133393440B93A4548B24A32483645D93A4B41443A3C4540B33B3549334B3545D030360B224A6598A3FEA418D2D13EC853B99F5AE295A250BCA4DA6586D20BA223533019A01AF47C13CB46A14648919766F105947252A14A5A628A4E5572864E62914E7E597A3555AC04002D54F208BCC29B208542BEA289403AB04607D53948DDB1A6312AB3C222B2D3D706D86B57EC45F2B225575603390AA3050E060A9AD803182AD8202861F4418B3BA04261450010C0A650B4AEA2560D8A15548202702EB1E90C9C08C4F5235835C53005D0531185BDD03ED42015B96489D2F627A74D42CAD903A7DA04E18A2D307E97281C4F0F7F1E8D50D2454E629D57255D70200');
INSERT INTO "jobs jobEvent" VALUES(3,4,X'C3DE643500361B4010ADE9606A606061619C629E669C6A40595395480B08B74DCA5D4212D3D381ED7448970D67A392261682EA74DC0D31A2AC543230D0354AB3304E364A4B334F34344C323549344F36490346B6595292416262A2A185AE49AA9989A1496AB299A1B1494A9A718AAE810130EA8869BA218207A5A142C846A55AAEEA5A00');
INSERT INTO "jobs jobEvent" VALUES(7,1,X'8B06D54B2EA939C0C203D494080C750D0535250D80105C7B4329484D6E60A09B6C686C9E66629C9866996C619C6860616869946A94946461946861696A6061A06B699A04AC8A8D0C932D4D800E324AD63530005A535D0B4400');
CREATE TABLE "jobs leaves" (
        leaf TEXT NOT NULL, born INTEGER NOT NULL, submission TEXT NOT NULL, job TEXT NOT NULL,
        PRIMARY KEY (leaf, born, submission, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs leaves" VALUES('03517b531670bfdaabdc65f7eeed1317',3373512120000000,'1685610f-bbb4-4664-9a36-4d3f5e2796bb','3cbc0e1f-53b0-489a-83b2-07490d7bbf11');
CREATE TABLE "jobs places" (
        workflow INTEGER NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (workflow, job)) WITHOUT ROWID
    ;
CREATE TABLE "jobs requests" (job INTEGER PRIMARY KEY, body TEXT NOT NULL);
INSERT INTO "jobs requests" VALUES(1,'{"trace_id":"00-eb069775de6d340fff615aedc2975830-20e29b69e4fb2e3e-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":2},"properties":{"userId":7},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"callback_url":"http://127.0.0.1:9/hook"}');
INSERT INTO "jobs requests" VALUES(2,'{"trace_id":"00-f35ecd92b3dc93ff2e464a84be8b2b0c-4bfd12ae866e4f6e-00","timeout":600000000,"max_retry_attempt":5,"request":{"params":{"workflow":{"4":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"sd15.safetensors"}},"5":{"class_type":"EmptyLatentImage","inputs":{"width":64,"height":64,"batch_size":1}},"6":{"class_type":"CLIPTextEncode","inputs":{"text":"a red fox in snow","clip":["4",1]}},"7":{"class_type":"CLIPTextEncode","inputs":{"text":"text, watermark","clip":["4",1]}},"3":{"class_type":"KSampler","inputs":{"seed":1234567890,"steps":20,"cfg":7.0,"sampler_name":"euler","scheduler":"normal","denoise":1.0,"model":["4",0],"positive":["6",0],"negative":["7",0],"latent_image":["5",0]}},"8":{"class_type":"VAEDecode","inputs":{"samples":["3",0],"vae":["4",2]}},"9":{"class_type":"SaveImage","inputs":{"images":["8",0],"filename_prefix":"ComfyUI"}}}},"files":{}},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(3,'{"trace_id":"00-2f83c2ff7a11b54a7c4f1236bb0aaa18-4e6414ec6134df3d-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"wd-v1-4-vit-tagger-v2","mediaUrl":"https://example.com/a.png","threshold":0.5},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(4,'{"trace_id":"00-26ccdecb9a2359f1f0f88e8f11da2335-08e2e82e05db620a-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(5,'{"trace_id":"00-52318624839df3fd428d21a80b2f5e77-75774d48bbb757d7-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"a"}');
INSERT INTO "jobs requests" VALUES(6,'{"trace_id":"00-52318624839df3fd428d21a80b2f5e77-75774d48bbb757d7-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"b","dependencies":["d9736db3-0a83-468b-8e6d-4b32412dc339"]}');
INSERT INTO "jobs requests" VALUES(7,'{"trace_id":"00-c137f43af9c83a08192e2bb82a895080-95b20321c94bcd2c-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
CREATE TABLE "jobs tags" (
        owner TEXT NOT NULL, tag TEXT NOT NULL, born INTEGER NOT NULL, workflow TEXT NOT NULL,
        PRIMARY KEY (owner, tag, born, workflow)) WITHOUT ROWID
    ;
CREATE TABLE "jobs texts" (job INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE "jobs workflows" (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, external_id TEXT,
        created_at INTEGER NOT NULL, keep_until INTEGER NOT NULL, version INTEGER NOT NULL,
        is_over INTEGER NOT NULL, is_listed INTEGER NOT NULL, has_failed INTEGER NOT NULL, is_deleted INTEGER NOT NULL,
        blue INTEGER NOT NULL, green INTEGER NOT NULL, yellow INTEGER NOT NULL, fake_red INTEGER NOT NULL,
        search TEXT, body TEXT NOT NULL);
CREATE TABLE "resources" (
        key TEXT PRIMARY KEY, source TEXT NOT NULL, version TEXT, id TEXT NOT NULL,
        search TEXT NOT NULL, body TEXT NOT NULL);
INSERT INTO "resources" VALUES('urn:air:sd1:checkpoint:civitai:4384@128713','civitai','128713','4384','urn:air:sd1:checkpoint:civitai:4384@128713
dreamshaper
dreamshaper
8
base model
art style','{"air":{"source":"civitai","id":"4384","ecosystem":"sd1","type":"checkpoint","version":"128713","format":null},"fields":{"size":2132625894,"hashes":{"AutoV2":"879DB523C3","SHA256":"879DB523C30D3B9017143D56705015E15A2CB5628762C11D086FED9538ABD7FD"},"downloadUrls":["https://civitai.com/api/download/models/128713"],"modelName":"DreamShaper","resourceName":"DreamShaper","versionName":"8","tags":["base model","art style"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:checkpoint:civitai:4201@130072','civitai','130072','4201','urn:air:sd1:checkpoint:civitai:4201@130072
realistic vision v6.0 b1
realistic vision v6.0 b1
v5.1 (vae)
base model
photorealistic','{"air":{"source":"civitai","id":"4201","ecosystem":"sd1","type":"checkpoint","version":"130072","format":null},"fields":{"size":0,"hashes":{"AutoV2":"15012C538F"},"downloadUrls":["https://civitai.com/api/download/models/130072"],"modelName":"Realistic Vision V6.0 B1","resourceName":"Realistic Vision V6.0 B1","versionName":"V5.1 (VAE)","tags":["base model","photorealistic"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:lora:civitai:82098@87153','civitai','87153','82098','urn:air:sd1:lora:civitai:82098@87153
add more details - detail enhancer / tweaker (细节调整) lora
add more details - detail enhancer / tweaker (细节调整) lora
v1.0
detail','{"air":{"source":"civitai","id":"82098","ecosystem":"sd1","type":"lora","version":"87153","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/87153"],"modelName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","resourceName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:embedding:civitai:7808@9208','civitai','9208','7808','urn:air:sd1:embedding:civitai:7808@9208
easynegative
easynegative
easynegative
negative','{"air":{"source":"civitai","id":"7808","ecosystem":"sd1","type":"embedding","version":"9208","format":null},"fields":{"size":0,"hashes":{"AutoV2":"C74B4E810B","SHA256":"C74B4E810B030F6B75FDE959E2DB678C268D07115B85356D3C0138BA5EB42340"},"downloadUrls":["https://civitai.com/api/download/models/9208"],"modelName":"EasyNegative","resourceName":"EasyNegative","versionName":"EasyNegative","trainedWords":["easynegative"],"tags":["negative"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:vae:civitai:276082@311162','civitai','311162','276082','urn:air:sd1:vae:civitai:276082@311162
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840k
vae','{"air":{"source":"civitai","id":"276082","ecosystem":"sd1","type":"vae","version":"311162","format":null},"fields":{"size":334641190,"hashes":{"AutoV2":"735E4C3A44","SHA256":"735E4C3A447A3255760D7F86845F09F937809BAA529C17370D83E4C3758F3C75"},"downloadUrls":["https://civitai.com/api/download/models/311162"],"modelName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","resourceName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","versionName":"vae-ft-mse-840k","tags":["vae"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sdxl:checkpoint:civitai:101055@128078','civitai','128078','101055','urn:air:sdxl:checkpoint:civitai:101055@128078
sd xl
sd xl
v1.0 vae fix','{"air":{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"fields":{"size":6938078208,"hashes":{"AutoV1":"BE9EDD61","CRC32":"9B4D991F","AutoV2":"E6BB9EA85B","BLAKE3":"D4B89247EE54185BA1DCC1ACC0BB2E1A2E9333D7F53CE651A19B8B76CB520A95","SHA256":"E6BB9EA85BBF7BF6478A7C6D18B71246F22E95D41BCDD80ED40AA212C33CFEFF"},"downloadUrls":["https://civitai.com/api/download/models/128078"],"modelName":"SD XL","resourceName":"SD XL","versionName":"v1.0 VAE fix","checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.7,"isFeatured":false,"publishedAt":"2023-07-29T15:09:06.388Z","hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sdxl:lora:civitai:122359@135867','civitai','135867','122359','urn:air:sdxl:lora:civitai:122359@135867
detail tweaker xl
detail tweaker xl
v1.0
detail','{"air":{"source":"civitai","id":"122359","ecosystem":"sdxl","type":"lora","version":"135867","format":null},"fields":{"size":0,"hashes":{"AutoV2":"0D9BD1B873","SHA256":"0D9BD1B873A7863E128B4672E3E245838858F71469A3CEC58123C16C06F83BD7"},"downloadUrls":["https://civitai.com/api/download/models/135867"],"modelName":"Detail Tweaker XL","resourceName":"Detail Tweaker XL","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:pony:checkpoint:civitai:257749@290640','civitai','290640','257749','urn:air:pony:checkpoint:civitai:257749@290640
pony diffusion v6 xl
pony diffusion v6 xl
v6 (start with this one)
base model','{"air":{"source":"civitai","id":"257749","ecosystem":"pony","type":"checkpoint","version":"290640","format":null},"fields":{"size":6938041050,"hashes":{"AutoV2":"67AB2FD8EC","SHA256":"67AB2FD8EC439A89B3FEDB15CC65F54336AF163C7EB5E4F2ACC98F090A29B0B3"},"downloadUrls":["https://civitai.com/api/download/models/290640"],"modelName":"Pony Diffusion V6 XL","resourceName":"Pony Diffusion V6 XL","versionName":"V6 (start with this one)","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:illustrious:checkpoint:civitai:795765@889818','civitai','889818','795765','urn:air:illustrious:checkpoint:civitai:795765@889818
illustrious-xl
illustrious-xl
v0.1
base model
anime','{"air":{"source":"civitai","id":"795765","ecosystem":"illustrious","type":"checkpoint","version":"889818","format":null},"fields":{"size":6938040760,"hashes":{"AutoV2":"3E15BA0038","SHA256":"3E15BA00387DB678AB4A099F75771C4F5AC67FDA9E7100A01D263EAF30145AA9"},"downloadUrls":["https://civitai.com/api/download/models/889818"],"modelName":"Illustrious-XL","resourceName":"Illustrious-XL","versionName":"v0.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:noobai:checkpoint:civitai:833294@1116447','civitai','1116447','833294','urn:air:noobai:checkpoint:civitai:833294@1116447
noobai-xl (nai-xl)
noobai-xl (nai-xl)
epsilon-pred 1.1
base model
anime','{"air":{"source":"civitai","id":"833294","ecosystem":"noobai","type":"checkpoint","version":"1116447","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/1116447"],"modelName":"NoobAI-XL (NAI-XL)","resourceName":"NoobAI-XL (NAI-XL)","versionName":"Epsilon-pred 1.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:flux1:checkpoint:civitai:618692@691639','civitai','691639','618692','urn:air:flux1:checkpoint:civitai:618692@691639
flux
flux
dev
base model','{"air":{"source":"civitai","id":"618692","ecosystem":"flux1","type":"checkpoint","version":"691639","format":null},"fields":{"size":23802932552,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/691639"],"modelName":"FLUX","resourceName":"FLUX","versionName":"Dev","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:flux1:lora:civitai:233497@937698','civitai','937698','233497','urn:air:flux1:lora:civitai:233497@937698
frozen anna elsa -dall-e 3
frozen anna elsa -dall-e 3
flux_v1','{"air":{"source":"civitai","id":"233497","ecosystem":"flux1","type":"lora","version":"937698","format":null},"fields":{"size":306429952,"hashes":{"AutoV1":"C87E3019","AutoV2":"89D939E4D4","CRC32":"59CB7285","SHA256":"89D939E4D444A6E3FB63097A947E1276C93A4717AE696673D6106CDBE1DD529D","BLAKE3":"DCF1EA67915737E3B0F41EB3A66A10CC5C3C2E73579919AFCAF738A1C9903982","AutoV3":"3F34446EC06E"},"downloadUrls":["https://civitai.com/api/download/models/937698"],"modelName":"Frozen anna elsa -Dall-E 3","resourceName":"Frozen anna elsa -Dall-E 3","versionName":"Flux_V1","checkPermission":false,"canGenerate":true,"requiresAuthorization":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.9,"isFeatured":false,"publishedAt":"2024-10-09T11:54:46.826Z","hasNSFWContentRestriction":false}}');
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
INSERT INTO "secrets" VALUES('blob-urls',X'BD293BA5558D35583E086AE383C07DCFDA26C7ADB3411990791D6DADC279224C');
CREATE INDEX "jobs to claim" ON "jobs" (priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0
    ;
CREATE INDEX "jobs by worker" ON "jobs" (worker_id)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by lease" ON "jobs" (lease_until)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by deadline" ON "jobs" (expire_at) WHERE outcome IS NULL;
CREATE INDEX "jobs that wait" ON "jobs" (id) WHERE waits = 1;
CREATE INDEX "jobs by age" ON "jobs" (created_at, submission_id, id, type);
CREATE INDEX "jobs by consumer" ON "jobs" (issued_by, created_at, submission_id, id, type);
CREATE INDEX "jobs by charge" ON "jobs" (issued_by, cost, charged, outcome)
    WHERE charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED')
    ;
CREATE INDEX "jobs by end" ON "jobs" (changed_at) WHERE outcome IS NOT NULL;
CREATE INDEX "jobs to tell of" ON "jobs" (callback_due_at, id)
    WHERE callback_due_at IS NOT NULL
    ;
CREATE INDEX "jobs to sweep" ON "jobs" (keep_until);
CREATE UNIQUE INDEX "jobs workflows by external id" ON "jobs workflows" (owner, external_id)
    WHERE external_id IS NOT NULL
    ;
CREATE INDEX "jobs workflows by age" ON "jobs workflows" (owner, created_at, id)
    WHERE is_listed = 1
    ;
CREATE INDEX "jobs workflows that did not fail" ON "jobs workflows" (owner, created_at, id)
    WHERE is_listed = 1 AND has_failed = 0
    ;
CREATE INDEX "jobs workflows that run" ON "jobs workflows" (id)
    WHERE is_over = 0 AND is_deleted = 0
    ;
CREATE INDEX "jobs workflows by charge" ON "jobs workflows" (owner, blue, green, yellow, fake_red)
    ;
CREATE INDEX "jobs workflows to sweep" ON "jobs workflows" (keep_until);
CREATE INDEX "jobs to announce" ON "jobs deliveries" (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX "resources by version" ON "resources" (source, version, key);
CREATE INDEX "resources by model" ON "resources" (source, id, key);
CREATE INDEX [blobs to sweep] ON blobs (keep_until);
COMMIT;
PRAGMA user_version = 8;
