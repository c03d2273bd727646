BEGIN TRANSACTION;
CREATE TABLE blobs (
        key TEXT PRIMARY KEY, content_type TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
        keep_until INTEGER NOT NULL, owner TEXT, recipe TEXT);
INSERT INTO "blobs" VALUES('2DF0776B2416069244930A2525BB40B91FAE9452447066677EBA89E782662304','image/png',1712,'f6445c7b81435f195c8ec6f351ea41ce',3373598520000000,'civitai-1',NULL);
INSERT INTO "blobs" VALUES('FF9370FC8A5D897618B487D94E2E1DB7C3ACC8FF0514828CE02F71596E3A2B15','image/png',0,'',3373598520000000,'civitai-1','{"painter":1,"job":"2ec01a28-5391-4b12-9328-01815ef5c73b","node":"SaveImage","index":1,"content":"blank"}');
INSERT INTO "blobs" VALUES('D088B329325AED279954BE25071400745513DDF6925192FB7206687BD3A85042','image/png',0,'',3373598521000000,'civitai-1','{"painter":1,"job":"5970fbd8-ba60-47e0-b7d8-376344512b47","node":"9","index":0,"content":"blank"}');
CREATE TABLE "jobs" (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, issued_by TEXT NOT NULL,
        submission_id TEXT NOT NULL, cost REAL NOT NULL, charged INTEGER NOT NULL, priority INTEGER NOT NULL,
        created_at INTEGER NOT NULL, expire_at INTEGER NOT NULL, keep_until INTEGER NOT NULL,
        slots TEXT NOT NULL, seq INTEGER NOT NULL, changed_at INTEGER NOT NULL, stage TEXT NOT NULL,
        retry_attempt INTEGER NOT NULL, outcome TEXT, provider TEXT, worker_id TEXT, claimed_at INTEGER,
        lease_until INTEGER, prompt_id TEXT, waits INTEGER NOT NULL, result TEXT, taint TEXT,
        callback_due_at INTEGER, callback_told INTEGER NOT NULL DEFAULT -1,
        callback_failures INTEGER NOT NULL DEFAULT 0);
INSERT INTO "jobs" VALUES(1,'2ec01a28-5391-4b12-9328-01815ef5c73b','TextToImageV2','civitai-1','f637085e-5f2d-49de-a302-b5fb00a15aea',0.004,1,0,3373512120000000,3373598520000000,3373598520000000,'[[null,7,true],[null,7,true]]',4,3373512120000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'ae1b31f4-ec7d-401b-b2fc-b4f25ce809c3',0,NULL,NULL,3373512123075270,-1,2);
INSERT INTO "jobs" VALUES(2,'5970fbd8-ba60-47e0-b7d8-376344512b47','Comfy','civitai-1','92197774-2da4-470d-aeab-2e399257e89f',1.0,1,0,3373512121000000,3373598521000000,3373598521000000,'[[null,1234567890,true,"9_0.png"]]',4,3373512121000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'d4f51ad8-fa66-42e0-86d2-b208e65ebfae',0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(3,'cf5cf30d-6a0c-41ca-9956-ff0ceaa0005a','WDTagging','civitai-1','08f71827-6dfd-4092-a18e-23601ed11a4b',1.0,1,0,3373512122000000,3373598522000000,3373598522000000,'[]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,NULL,0,'{"tags":{"solo":0.8754,"snow":0.8445,"flower":0.8444,"smile":0.8292,"brown_hair":0.7789,"tree":0.6779,"grass":0.6164,"night":0.5493,"blue_sky":0.5368,"day":0.5103},"rating":{"general":0.9121,"sensitive":0.0279,"questionable":0.0306,"explicit":0.0293}}',NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(4,'44f53403-5011-48c6-850a-4e7c4eee8f56','TextToImageV2','civitai-1','9a0053d6-3e37-4643-a4da-d75edb2ea085',0.002,1,0,3373512123000000,3373598523000000,3373598523000000,'[[null,7,false]]',0,3373512123000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(5,'92e6fbf0-3a74-46f9-92f1-afef9509aa87','TextToImageV2','civitai-1','3d968ddd-7e8d-4d38-9621-7319fb42482e',0.002,1,0,3373512123000000,3373598523000000,3373598523000000,'[[null,7,false]]',0,3373512123000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(6,'5847998d-872e-42bc-a31e-80a4a686dbaa','TextToImageV2','civitai-1','3d968ddd-7e8d-4d38-9621-7319fb42482e',0.002,1,0,3373512123000000,3373598523000000,3373598523000000,'[[null,7,false]]',0,3373512123000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(7,'2988def5-e938-4df4-9e0d-8badd94ef67f','TextToImageV2','civitai-1','7e0bcb2f-2625-4f8c-9bf3-fd235ceb7830',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',1,3373512124000000,'QUEUED',0,'DELETED',NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0);
CREATE TABLE "jobs jobEvent" (
        job INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (job, seq)) WITHOUT ROWID
    ;
INSERT INTO "jobs jobEvent" VALUES(1,4,X'E5D6490AC3300C05D01319ACC1D3712CD93A438FDF681128A10D6D1342A148ABBFF942ABF79CAC716183CF860E4D8B2446835AEB31AABE5970D82637A7CCE942FD91EB3FA1559F2004C6616A1981234810340DC28649678D4D69CBAF57FAFA56A67FFEB607B43A221DAD39435E63CFF68D7A1563818AA58ADD28631B5CC85859A4282EDBD3D865EE1D');
INSERT INTO "jobs jobEvent" VALUES(2,4,X'E5D6C10AC3300800D07FD93D905835F6736A8CFFFF094DDA43CB18DDC6682EC39B174544DF6BB2C6C6861E4F74984B5642F02422BF51F5C302EF6DB2BDDBC70D0A1DD8E1374432744A8B49F0853920D418840D824294CA54D5FBA2DE2BCC3F18CD09981D7C073077DEF5DCB5274791B35D00622B968A42A58C534B646F284E8E132A5F927405');
INSERT INTO "jobs jobEvent" VALUES(3,4,X'C3DE643500361B4010ADE960996C9E646A62946668616141595395480B08B74DCA5D4212D3D381ED7448970D67A3925616E26E87D1C04694C646A285B145AAA9B9799AA599A18981A9419A8999A5A5616A62AA59A2B18185B12130406201');
INSERT INTO "jobs jobEvent" VALUES(7,1,X'0336595D5273804507A8211118EA1A0A6A481A0021B8EE86526076756D6C2C00');
CREATE TABLE "jobs leaves" (
        leaf TEXT NOT NULL, born INTEGER NOT NULL, submission TEXT NOT NULL, job TEXT NOT NULL,
        PRIMARY KEY (leaf, born, submission, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs leaves" VALUES('03517b531670bfdaabdc65f7eeed1317',3373512120000000,'f637085e-5f2d-49de-a302-b5fb00a15aea','2ec01a28-5391-4b12-9328-01815ef5c73b');
CREATE TABLE "jobs requests" (job INTEGER PRIMARY KEY, body TEXT NOT NULL);
INSERT INTO "jobs requests" VALUES(1,'{"trace_id":"00-137f582af3629d473f4c4bb7c27c2a5d-eee522551564d8b6-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":2},"properties":{"userId":7},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"callback_url":"http://127.0.0.1:9/hook"}');
INSERT INTO "jobs requests" VALUES(2,'{"trace_id":"00-f0156dcd1cb2e5743f017fcac1f434b6-b9330ced3955d39a-00","timeout":600000000,"max_retry_attempt":5,"request":{"params":{"workflow":{"4":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"sd15.safetensors"}},"5":{"class_type":"EmptyLatentImage","inputs":{"width":64,"height":64,"batch_size":1}},"6":{"class_type":"CLIPTextEncode","inputs":{"text":"a red fox in snow","clip":["4",1]}},"7":{"class_type":"CLIPTextEncode","inputs":{"text":"text, watermark","clip":["4",1]}},"3":{"class_type":"KSampler","inputs":{"seed":1234567890,"steps":20,"cfg":7.0,"sampler_name":"euler","scheduler":"normal","denoise":1.0,"model":["4",0],"positive":["6",0],"negative":["7",0],"latent_image":["5",0]}},"8":{"class_type":"VAEDecode","inputs":{"samples":["3",0],"vae":["4",2]}},"9":{"class_type":"SaveImage","inputs":{"images":["8",0],"filename_prefix":"ComfyUI"}}}},"files":{}},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(3,'{"trace_id":"00-a838e577f9614050f46991eae6a30831-5130584b6189b23f-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"wd-v1-4-vit-tagger-v2","mediaUrl":"https://example.com/a.png","threshold":0.5},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(4,'{"trace_id":"00-ec3b9d1957a12063a66dc42314c16cbe-a4bde3bbd0316c8e-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(5,'{"trace_id":"00-038fee964b40f0d89dcfeaa91ff3b599-289b55634b09b371-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"a"}');
INSERT INTO "jobs requests" VALUES(6,'{"trace_id":"00-038fee964b40f0d89dcfeaa91ff3b599-289b55634b09b371-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"b","dependencies":["92e6fbf0-3a74-46f9-92f1-afef9509aa87"]}');
INSERT INTO "jobs requests" VALUES(7,'{"trace_id":"00-aa4d498d9aebe7f1bf493f07d46e2fc2-0cea30ab5a6eea31-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
CREATE TABLE "jobs texts" (job INTEGER PRIMARY KEY, body BLOB NOT NULL);
INSERT INTO "jobs texts" VALUES(1,X'EDD63B0E80200C06E0AB78019216ACE271C0C7CAFD370B09468C093E202E8E65222D7C7F4328D5476B1F568040E4DD826360D576AB6BB9011B5BA14AD492392E5E61619AC5F1281331B24155942BD34C8EFFF7BD1B7CE8947728F2E4875554A7A4F5BF480F4492F30868A416A40614AD452906C525A0469A171A7B65EF89C4332EB520C7BF76B201537856C70DD89F5E0EAF2799CFDCAE');
INSERT INTO "jobs texts" VALUES(2,X'A5964D0E40301484AFF20E2036FE8F234122124D58707C3325D2D423C592C59B9AF6FBCA5E4AA90EC1473F659E8C989AA909C1C2C953CC387D639F3CDD3024D73F2390E55AA6B691CEACD28F328F66F1E04649E49841C5AF20DA239205E880CB69B88F495EAA2110EED852AF7AE4D91E8E12EC0C077596A3508D1DD140467FFBEBAB5670507850D972F9875F74E781CB2582514EAE5EE2E8128555ED8335468F5F4DDCC0846B03');
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
INSERT INTO "secrets" VALUES('blob-urls',X'8E37B6189D19CFF75DFE18B0191A2C282DCEA6326CB0F6EDA0CF5A83C4E93CA6');
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
CREATE INDEX "resources by version" ON "resources" (source, version, key);
CREATE INDEX "resources by model" ON "resources" (source, id, key);
CREATE INDEX [blobs to sweep] ON blobs (keep_until);
COMMIT;
PRAGMA user_version = 5;
